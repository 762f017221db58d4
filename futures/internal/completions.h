// Completions: tells of results as they come, for Wait() and AsCompleted().
//
// A hook in each result puts its entry into a queue. The entries are shared: who
// goes before all results are there takes back the hooks that are still listed,
// and leaves the rest to those who are about to call them.
//
//   (C1) An entry is listed at its result, or in the queue, or taken, or nobody's
//        any more; it enters the queue once.
//   (C2) Each listed hook counts as a user of the entries, and so does the
//        object itself; the last one destroys them.
//   [LAST] release of users_ by each -> acquire by the last: what any of them
//          did to the entries before they are destroyed.
//
// Thread safety: an object belongs to one thread.

#ifndef HEDDLE_FUTURES_INTERNAL_COMPLETIONS_H_
#define HEDDLE_FUTURES_INTERNAL_COMPLETIONS_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace futures_internal {

using States = std::vector<pool_internal::ResultState*>;

class Completions {
 public:
  // Of `states`, which are different ones and stay until this object is gone or
  // has told of them. Throws std::bad_alloc.
  explicit Completions(const States& states);
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;
  ~Completions();

  // Waits within `limit`, which is started, for the next result that is there,
  // those first that came first; returns its place in `states`. Nothing if the
  // limit passed. REQUIRES: not all have been told of.
  // (In a worker, if there is no limit, what its pool has queued of them is run
  // here, one at a time, the first of them first. Throws what a wait for the last
  // of them does.)
  std::optional<size_t> Next(const WaitLimit& limit);

 private:
  class Shared;

  void Help(const WaitLimit& limit);

  States states_;  // null: told of
  size_t left_;    // the others
  // What is before has begun or has ended.
  size_t unbegun_ = 0;
  Shared* const shared_;
};

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_COMPLETIONS_H_
