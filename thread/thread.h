// Thread: one thread, made first and started later.
//
// Making a Thread starts nothing. Start() starts it; a Thread that is destroyed
// unstarted has never run its function, and nothing says so. Join() waits for
// its end, with a limit if you want one, any number of times and from any
// number of threads. Choose a ThreadPoolExecutor instead when there are many
// short jobs, or when a result or an exception is to come back.
//
// Example:
//
//   Thread worker({.name = "rotate"},
//                 [&log](std::string name) { log.Rotate(name); }, "access");
//   worker.Start();
//   ...
//   if (!worker.Join(absl::Seconds(5))) LOG(INFO) << "still rotating";
//
// A function whose first parameter is a std::stop_token is given one, and
// RequestStop() asks it to stop:
//
//   Thread poller([](std::stop_token stop) {
//     while (!stop.stop_requested()) Poll();
//   });
//
// The end of the program: when main() returns or exit() is called, Heddle first
// waits for every thread that is no daemon, after it has asked those with a
// stop token to stop; only then are the program's statics destroyed, and
// Start() throws from there on. A thread that is waited for longer than three
// seconds is named on stderr, once. If it waits for the destructor of a static,
// it waits for ever: the option join_at_exit = false is for the threads of such
// objects.
//
//   class Logger {  // of which there is one, with static storage
//    public:
//     Logger() { writer_.Start(); }
//     ~Logger() { lines_.Shutdown(); }  // then ~Thread() joins
//    private:
//     Queue<std::string> lines_;
//     Thread writer_{{.name = "log", .join_at_exit = false}, [this] {
//       for (const std::string& line : lines_) Write(line);
//     }};
//   };
//
// The limits of this: if another thread than main()'s calls exit(), that one is
// not waited for, none of the others may wait for it, and those statics go
// first that were made after the first Start(). On _exit(), quick_exit() and
// abort() nothing is waited for. A daemon runs on until the process is gone:
// all of Heddle's own state that it may touch is never destroyed, but the
// program's is.
//
// The function may end the thread by pthread_exit(), as in std::thread: the
// stack is unwound, and that is its end. pthread_cancel() does the same at the
// system calls of the function that can be cancelled, with glibc; it does not
// end a wait in a call of Heddle's, which is what stop tokens are for. (In
// builds without exceptions neither destroys what is on the stack, nor the
// function.)
//
// In the child of a fork() the threads of the parent, but for the one that called
// it, count as joined. (The whole rule: thread/README.md, "After fork()".)
//
// Differences from std::thread: the destructor never terminates the program (it
// joins); Join() takes a limit, may be repeated, and several may call it;
// joining oneself is an error instead of a deadlock; an exception that leaves
// the function goes to the except hook (except_hook.h) instead of
// std::terminate(). (Python: threading.Thread. Its run() is the callable here.)
//
// Thread safety: Start(), destruction and assignment: by one at a time, as for
// any object. Everything else: by any number of threads.
// Memory ordering: what came before Start() is visible to the function; what
// the function did is visible after a Join() that returns true and after
// IsAlive() returned false for a started thread.

#ifndef HEDDLE_THREAD_THREAD_H_
#define HEDDLE_THREAD_THREAD_H_

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include "heddle/thread/internal/bind_call.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/thread_name.h"
#include "heddle/thread/internal/thread_state.h"
#include "heddle/thread/thread_handle.h"
#include "heddle/thread/thread_options.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class Thread {
 public:
  using Options = ThreadOptions;

  // A thread that will call `function(arguments...)`, or, if it can be called
  // so, `function(stop_token, arguments...)`. Each is moved or copied in now,
  // once, and destroyed in the thread when the function has ended, or with this
  // object if it never starts. Pass std::ref(x) to share x instead.
  template <typename Function, typename... Arguments>
  requires(
      std::is_invocable_v<std::decay_t<Function>, std::decay_t<Arguments>...> ||
      std::is_invocable_v<std::decay_t<Function>, std::stop_token,
                          std::decay_t<Arguments>...>)  //
      explicit Thread(Function&& function, Arguments&&... arguments)
      : state_(Make<std::decay_t<Function>, TakesToken<Function, Arguments...>>(
            [&] {
              return internal::BindCall(std::forward<Function>(function),
                                        std::forward<Arguments>(arguments)...);
            })) {}

  // The same, to be as `options` say. Throws std::invalid_argument if one of
  // them cannot be right anywhere.
  template <typename Function, typename... Arguments>
  requires(
      std::is_invocable_v<std::decay_t<Function>, std::decay_t<Arguments>...> ||
      std::is_invocable_v<std::decay_t<Function>, std::stop_token,
                          std::decay_t<Arguments>...>)  //
      Thread(Options options, Function&& function, Arguments&&... arguments)
      : state_(Make<std::decay_t<Function>, TakesToken<Function, Arguments...>>(
            [&] {
              return internal::BindCall(std::forward<Function>(function),
                                        std::forward<Arguments>(arguments)...);
            },
            std::move(options))) {}

  // Moving hands the thread over; it runs on undisturbed. What was moved from
  // may only be destroyed or assigned to. Assignment first does to what was
  // there what the destructor does.
  Thread(Thread&&) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;

  // If the thread was started, asks it to stop and joins it. A daemon is let go
  // instead, and so is the thread whose own function this happens in; Start()
  // need not have returned.
  ~Thread();

  // Starts the thread; when it returns, the thread runs: all that can be asked
  // of it is there. Throws std::logic_error if it was started before or the
  // process is exiting, and std::system_error if the system refuses the thread
  // or what its options ask for. Then nothing has changed, nothing of the
  // function was run, and Start() may be called again.
  void Start();

  // Waits for the thread's end: true when it has ended (its thread_local
  // objects are then destroyed, and so is what else the system keeps for each
  // thread), false when `limit` passed first. Throws std::logic_error when
  // called before Start() or by the thread itself. Where the system cannot be
  // asked whether a thread has quite ended (Linux can), the last of that, the
  // destructors of pthread keys younger than Heddle's, is waited for without a
  // limit.
  bool Join() { return state_->Join(WaitLimit()); }
  [[nodiscard]] bool Join(const WaitLimit& limit) {
    return state_->Join(limit);
  }

  // True from Start() until the function has ended.
  [[nodiscard]] bool IsAlive() const { return state_->IsAlive(); }

  // Asks the function to stop, by its stop token; runs the callbacks that are
  // registered there. Does not wait. May be called before Start(). True if the
  // function takes a token and this was the first request.
  bool RequestStop() { return state_->RequestStop(); }

  // See ThreadOptions. Names may be set at any time; what the system shows
  // follows when the thread starts, and when it names itself.
  [[nodiscard]] std::string name() const { return state_->name(); }
  void set_name(std::string name) { state_->set_name(std::move(name)); }

  // The thread's number in this process, never used again, and the kernel's
  // id, which may be. Not there before Start(); both stay after the end.
  [[nodiscard]] std::optional<uint64_t> ident() const {
    return state_->ident();
  }
  [[nodiscard]] std::optional<uint64_t> native_id() const {
    return state_->native_id();
  }

  // See ThreadOptions. Setting it after Start(), also after the thread's end,
  // throws std::logic_error.
  [[nodiscard]] bool daemon() const { return state_->daemon(); }
  void set_daemon(bool daemon) { state_->set_daemon(daemon); }

  // What this object and anybody else can share, compare, and keep.
  [[nodiscard]] ThreadHandle handle() const;

  // "<Thread(search, initial)>", "<Thread(search, started daemon 4)>",
  // "<Thread(search, stopped 4)>": name, state, ident.
  [[nodiscard]] std::string DebugString() const {
    return state_->DebugString();
  }
  friend std::ostream& operator<<(std::ostream& out, const Thread& thread);

 protected:
  // For what is a thread and more: one that will call what `make()` returns,
  // which takes a stop token, and is made where it is kept.
  struct CallsWhatItReturns {};
  template <typename MakeBody>
  Thread(CallsWhatItReturns /*tag*/, Options options, const MakeBody& make)
      : state_(Make<void, true>(make, std::move(options))) {}

 private:
  template <typename Function, typename... Arguments>
  static constexpr bool TakesToken =
      std::is_invocable_v<std::decay_t<Function>, std::stop_token,
                          std::decay_t<Arguments>...>;

  // `Named` is the class that the thread is named after.
  template <typename Named, bool kTakesToken, typename MakeBody,
            typename... MaybeOptions>
  static internal::RefPtr<internal::ThreadState> Make(
      const MakeBody& make, MaybeOptions&&... options) {
    using Body = std::invoke_result_t<const MakeBody&>;
    return internal::RefPtr<internal::ThreadState>::Adopt(
        new internal::ThreadStateOf<Body>(
            make, std::forward<MaybeOptions>(options)...,
            internal::FunctionName<Named>(),
            kTakesToken ? std::stop_source()
                        : std::stop_source(std::nostopstate)));
  }

  internal::RefPtr<internal::ThreadState> state_;  // null only when moved from
};

}  // namespace heddle

#endif  // HEDDLE_THREAD_THREAD_H_
