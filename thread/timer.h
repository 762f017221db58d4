// Timer: a thread that calls a function once, after a while, unless cancelled.
//
// One thread for each timer: for a few of them. It is a Thread, made first and
// started later, and all that is said of Thread holds for it.
//
// Example:
//
//   Timer reminder(absl::Minutes(5), [] { LOG(INFO) << "still waiting"; });
//   reminder.Start();
//   AwaitAnswer();
//   reminder.Cancel();
//
// A request to stop cancels a timer that is waiting: RequestStop(), the
// destructor, which thus never waits for the interval but only for a function
// that runs already, and the end of the program. So a timer that is to fire
// must be joined, or be a daemon, which its destructor lets go and which fires
// if the program is still there. A timer of an object with static storage is
// cancelled by that object's destructor instead of the end of the program, with
// the option join_at_exit = false. A timer that is never started does not fire,
// and nothing says so. (Python: threading.Timer, which after its object is gone
// fires and holds up the end of the program until then.)
//
// Thread safety and memory ordering: as Thread's, Cancel() and WaitFinished()
// in any number of threads. What the function did is visible after a
// WaitFinished() that returned true.

#ifndef HEDDLE_THREAD_TIMER_H_
#define HEDDLE_THREAD_TIMER_H_

#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "heddle/thread/internal/bind_call.h"
#include "heddle/thread/internal/timer_core.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/thread_options.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class Timer : public Thread {
 public:
  // A timer that will call `function(arguments...)`, or, if it can be called
  // so, `function(stop_token, arguments...)`, when `delay` has passed since its
  // thread began; at once if that is negative. A `delay` with a stop token is
  // also cancelled by that; one made by WaitLimit::Until() fires at that
  // moment. The callable and arguments are kept as Thread keeps them.
  template <typename Function, typename... Arguments>
  requires(
      std::is_invocable_v<std::decay_t<Function>, std::decay_t<Arguments>...> ||
      std::is_invocable_v<std::decay_t<Function>, std::stop_token,
                          std::decay_t<Arguments>...>)  //
      Timer(const WaitLimit& delay, Function&& function,
            Arguments&&... arguments)
      : Timer(Options(), delay, std::forward<Function>(function),
              std::forward<Arguments>(arguments)...) {}

  // The same, to be as `options` say.
  template <typename Function, typename... Arguments>
  requires(
      std::is_invocable_v<std::decay_t<Function>, std::decay_t<Arguments>...> ||
      std::is_invocable_v<std::decay_t<Function>, std::stop_token,
                          std::decay_t<Arguments>...>)  //
      Timer(Options options, const WaitLimit& delay, Function&& function,
            Arguments&&... arguments)
      : Timer(std::make_shared<internal::TimerCore>(delay), std::move(options),
              [&] {
                return internal::BindCall(
                    std::forward<Function>(function),
                    std::forward<Arguments>(arguments)...);
              }) {}

  // Prevents the call, and ends the wait for it at once; true if it did. A
  // timer that is cancelled before Start() may be started and does nothing. No
  // effect, and false, while the function runs and after it, and when cancelled
  // before.
  bool Cancel() { return core_->Cancel(); }

  // Waits within `limit` until the timer is cancelled or its function has
  // returned or thrown: true then, false if the limit passed first. May be
  // called before Start(). The thread itself may end a little later: Join().
  bool WaitFinished() const { return core_->WaitFinished(WaitLimit()); }
  [[nodiscard]] bool WaitFinished(const WaitLimit& limit) const {
    return core_->WaitFinished(limit);
  }

  // True if the timer is cancelled or its function has ended.
  [[nodiscard]] bool IsFinished() const { return core_->IsFinished(); }

 private:
  // What the thread calls.
  template <typename Call>
  struct Body {
    void operator()(std::stop_token stop) {
      const internal::TimerCore::Turn turn(*core, stop);
      if (!turn) return;
      if constexpr (std::is_invocable_v<Call&, std::stop_token>) {
        static_cast<void>(call(std::move(stop)));
      } else {
        static_cast<void>(call());
      }
    }

    std::shared_ptr<internal::TimerCore> core;
    Call call;
  };

  template <typename MakeCall>
  Timer(std::shared_ptr<internal::TimerCore> core, Options options,
        const MakeCall& make)
      : Thread(
            CallsWhatItReturns(), std::move(options),
            [&] {
              return Body<std::invoke_result_t<const MakeCall&>>{core, make()};
            }),
        core_(std::move(core)) {}

  std::shared_ptr<internal::TimerCore> core_;  // null only when moved from
};

}  // namespace heddle

#endif  // HEDDLE_THREAD_TIMER_H_
