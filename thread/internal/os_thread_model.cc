// Under --config=model: threads are the explorer's, and the handle is a number.

#include <cerrno>

#include "heddle/thread/internal/os_thread.h"
#include "heddle/tools/explore/model.h"

namespace heddle {
namespace internal {
namespace {

// What a thread begins with; on the heap until it has begun.
struct Beginning {
  void* (*run)(void*);
  void* argument;
};

void Begin(void* opaque) {
  const Beginning beginning = *static_cast<Beginning*>(opaque);
  delete static_cast<Beginning*>(opaque);
  beginning.run(beginning.argument);
}

}  // namespace

int OsThread::Start(void* (*run)(void*), void* argument) {
  auto* const beginning = new Beginning{run, argument};
  const int thread = explore::StartThread(&Begin, beginning);
  if (thread < 0) {
    delete beginning;
    return EAGAIN;
  }
  handle_ = static_cast<pthread_t>(thread);
  return 0;
}

void OsThread::Join() { explore::JoinThread(static_cast<int>(handle_)); }

void OsThread::Detach() {}

int UsableCpus() { return 2; }

}  // namespace internal
}  // namespace heddle
