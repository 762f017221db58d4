// NoCancel: while it lives, pthread_cancel() does not end the calling thread.
//
// For the system's calls at which a cancelled thread ends, where Heddle makes
// them: in places that throw nothing, and in waits, which only their limit
// ends.

#ifndef HEDDLE_THREAD_INTERNAL_NO_CANCEL_H_
#define HEDDLE_THREAD_INTERNAL_NO_CANCEL_H_

#include <pthread.h>

namespace heddle {
namespace internal {

class NoCancel {
 public:
#ifdef PTHREAD_CANCEL_DISABLE
  NoCancel() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~NoCancel() { pthread_setcancelstate(before_, &before_); }
#else
  NoCancel() {}
  ~NoCancel() {}
#endif
  NoCancel(const NoCancel&) = delete;
  NoCancel& operator=(const NoCancel&) = delete;

 private:
  int before_ = 0;
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_NO_CANCEL_H_
