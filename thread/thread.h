// Thread: one thread, made first and started later.
//
// Making a Thread starts nothing. Start() starts it and returns when it runs.
// Join() waits for its end, with a limit if you want one, any number of times
// and from any number of threads. Choose a ThreadPoolExecutor instead when
// there are many short jobs, or when a result or an exception is to come back.
//
// Example:
//
//   Thread worker([&log](std::string name) { log.Rotate(name); }, "access");
//   worker.Start();
//   ...
//   if (!worker.Join(absl::Seconds(5))) LOG(INFO) << "still rotating";
//
// Differences from std::thread: the destructor never terminates the program (it
// joins); Join() takes a limit, may be repeated, and several may call it;
// joining oneself is an error instead of a deadlock; an exception that leaves
// the function goes to the except hook (except_hook.h) instead of
// std::terminate(). (Python: threading.Thread. Its run() is the callable here.)
//
// Thread safety: Join() and IsAlive() may be called by several threads at once.
// Everything else, destruction included, as for any object: by one at a time.
// Memory ordering: what came before Start() is visible to the function; what
// the function did is visible after a Join() that returns true and after
// IsAlive() returned false for a started thread.

#ifndef HEDDLE_THREAD_THREAD_H_
#define HEDDLE_THREAD_THREAD_H_

#include <memory>
#include <type_traits>
#include <utility>

#include "heddle/thread/internal/bind_call.h"
#include "heddle/thread/internal/thread_state.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class Thread {
 public:
  // A thread that will call `function(arguments...)`. Both are moved or copied
  // in now, and destroyed in the thread when the function has ended, or with
  // this object if it never starts. Pass std::ref(x) to share x instead.
  template <typename Function, typename... Arguments>
  requires std::is_invocable_v<std::decay_t<Function>,
                               std::decay_t<Arguments>...>
  explicit Thread(Function&& function, Arguments&&... arguments)
      : state_(internal::MakeThreadState(
            internal::BindCall(std::forward<Function>(function),
                               std::forward<Arguments>(arguments)...))) {}

  // Moving hands the thread over; it runs on undisturbed. What was moved from
  // may only be destroyed or assigned to. Assignment first joins what was
  // there.
  Thread(Thread&&) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;

  // Joins the thread if it was started. In the thread's own function, where
  // that would never end, lets it go instead; Start() need not have returned.
  ~Thread();

  // Starts the thread; returns when it runs. Throws std::logic_error if it was
  // started before, and std::system_error if the system refuses; after the
  // latter nothing has changed and Start() may be called again.
  void Start();

  // Waits for the thread's end: true when it has ended (its thread_local
  // objects are then destroyed too), false when `limit` passed first. Throws
  // std::logic_error when called before Start() or by the thread itself.
  bool Join(const WaitLimit& limit = {});

  // True from Start() until the function has ended.
  bool IsAlive() const { return state_->IsAlive(); }

 private:
  std::shared_ptr<internal::ThreadState> state_;  // null only when moved from
};

}  // namespace heddle

#endif  // HEDDLE_THREAD_THREAD_H_
