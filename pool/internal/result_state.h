// ResultState: what the handles to a result and the task that gives it share.
// It is itself the task, so that a submission is one allocation. Future and
// AsyncResult are such handles.
//
// Whoever wants to know that the result is there either waits, or leaves a
// ResultHook, which has its own memory: the state allocates nothing for it.

#ifndef HEDDLE_POOL_INTERNAL_RESULT_STATE_H_
#define HEDDLE_POOL_INTERNAL_RESULT_STATE_H_

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "heddle/pool/internal/callable_cell.h"
#include "heddle/pool/internal/nested_calls.h"
#include "heddle/pool/internal/running_call.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/call_reporting.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace pool_internal {

class EndlessWait;
class ResultState;

// Whether nothing but its end can end a wait with this limit.
bool IsEndless(const WaitLimit& started);

// To be told once that a result is there.
class ResultHook {
 public:
  ResultHook() = default;
  ResultHook(const ResultHook&) = delete;
  ResultHook& operator=(const ResultHook&) = delete;

  // The result is there: the work has ended or was cancelled. Called
  // by the thread that brought it about, with nothing locked; the hook is its
  // own again, and may go. It is quick: a user's code goes into a CallbackHook.
  virtual void Completed() noexcept = 0;

 protected:
  virtual ~ResultHook() = default;

 private:
  friend class CallbackHook;
  friend class ResultState;

  // Guarded by the state's parking spot while listed; then the thread's that
  // completes the result.
  internal::Var<ResultHook*> next_ = nullptr;
  internal::Var<ResultHook*> previous_ = nullptr;
  internal::Var<bool> listed_ = false;
};

// One that calls a user's code, which may give the next result.
class CallbackHook : public ResultHook {
 public:
  // Has Call() called, once.
  void Completed() noexcept final { NestedCalls::Call(*this); }

 protected:
  ~CallbackHook() override = default;

 private:
  friend class NestedCalls;

  virtual void Call() noexcept = 0;

  // For NestedCalls: it is listed nowhere else any more.
  CallbackHook* next_call() const {
    ResultHook* const next = next_;
    return static_cast<CallbackHook*>(next);
  }
  void set_next_call(CallbackHook* next) { next_ = next; }
};

class ResultState : public Task::Node {
 public:
  enum State : uint32_t { kPending, kRunning, kSetting, kCancelled, kFinished };

  // As the methods of Future.
  bool Done() const {
    return IsFinal(word_.load(std::memory_order_acquire));  // [DONE]
  }
  bool Running() const {
    // relaxed: advisory.
    return StateOf(word_.load(std::memory_order_relaxed)) == kRunning;
  }
  bool Cancelled() const {
    return StateOf(word_.load(std::memory_order_acquire)) ==
           kCancelled;  // [DONE]
  }
  bool Cancel() noexcept;
  // Asks the work to stop; false if it does not listen or has ended.
  virtual bool RequestStop() noexcept { return false; }

  // Throws DeadlockError if the wait would be for this very thread, and what
  // RunInPlace() does.
  bool Wait(const WaitLimit& limit) { return Done() || WaitSlow(limit); }

  // Waits until it is done, come what may: for a caller on whose stack is what
  // the work uses.
  void WaitToEnd() noexcept;

  // In a worker of the pool that has the task, which would wait for it without
  // end: does what it can of it, and returns if it has done anything. Elsewhere
  // false. Throws std::system_error or std::bad_alloc if it is at the end of its
  // stack, and no other can be had.
  bool RunInPlace();

  // Waits, and returns what the callable threw, or null. Throws TimeoutError or
  // CancelledError, in the name of `handle`, if it did not come to that.
  const std::exception_ptr& AwaitError(const char* handle,
                                       const WaitLimit& limit);

  // What the callable threw, or null. REQUIRES: it has ended.
  const std::exception_ptr& error() const { return error_; }

  // Waits; returns if there is a result, and throws what there is instead.
  void AwaitResult(const char* handle, const WaitLimit& limit);

  // Lists `hook`, to be called before those that are listed or behind them;
  // false if the result is there already: then nobody will call it.
  enum class Place { kFirst, kLast };
  bool AddHook(ResultHook& hook, Place place) noexcept;
  // Takes it back; false if it is not listed any more: it was called, or is
  // about to be.
  bool RemoveHook(ResultHook& hook) noexcept;

  // For EndlessWait: the stack that runs what gives the result; null: none, or
  // kManyRunners, each of which runs a part of `this`. And what its waiters are
  // parked on.
  static const char kManyRunners[];
  const void* runner() const {
    return runner_.load(std::memory_order_relaxed);  // [RUNNER]
  }
  const void* wait_key() const { return &word_; }

  // Handles are counted by themselves: the result lives as long as they do, and
  // the rest as long as anybody's reference. All of them hold one together.
  // AddHandle() REQUIRES: the caller has a handle, or makes the first.
  void AddHandle() noexcept {
    // relaxed: see [LAST].
    if (handles_.load(std::memory_order_relaxed) != 0) {
      handles_.fetch_add(1, std::memory_order_relaxed);
    } else {
      handles_.store(1, std::memory_order_relaxed);
      Ref();
    }
  }

  void Ref() noexcept {
    references_.fetch_add(1, std::memory_order_relaxed);  // see [LAST]
  }
  void Unref() noexcept {
    const uint32_t before =
        references_.fetch_sub(1, std::memory_order_acq_rel);  // [LAST]
    if (before == 1) Destroy();
  }

 protected:
  ResultState() = default;
  ~ResultState() override = default;

  // A handle goes; true if that was the last. Then nobody else looks at the
  // result or at error_ any more if it is there: who is told of it by a hook has
  // a handle, or wants none of it. The caller drops the reference of all handles.
  bool DropHandle() noexcept {
    // The only one is not copied meanwhile: it is the caller's.
    if (handles_.load(std::memory_order_acquire) == 1) {  // [LAST]
      handles_.store(0, std::memory_order_relaxed);
      return true;
    }
    return handles_.fetch_sub(1, std::memory_order_acq_rel) == 1;  // [LAST]
  }

  // PENDING -> RUNNING; false if it is not pending. The callable is the caller's
  // from then on.
  bool TryStart() noexcept { return Change(kPending, kRunning) == kPending; }

  // `from` -> `to`, if that is how it stands; returns how it stood.
  State Change(State from, State to) noexcept;

  // It has ended, and was not cancelled.
  bool Finished() const {
    return StateOf(word_.load(std::memory_order_acquire)) ==
           kFinished;  // [DONE]
  }

  // The calling thread runs what gives the result, alone or with others.
  void SetRunner(const RunningCall& call) noexcept {
    runner_.store(call.stack(), std::memory_order_relaxed);  // [RUNNER]
  }
  void SetManyRunners() noexcept {
    runner_.store(kManyRunners, std::memory_order_relaxed);  // [RUNNER]
  }

  // The reference of one who has made it final goes, and the callable, if it is
  // cancelled; else what came of it. See NestedCalls.
  void DestroyRest() noexcept;

  // RUNNING -> FINISHED, when the result or error_ is in place; or -> CANCELLED.
  void Finish() noexcept;
  void FinishCancelled() noexcept;
  // Cancels, or fails with `why` if there is one, what nobody will run; and the
  // task's own reference goes.
  void Drop(std::exception_ptr why) noexcept override;

  std::exception_ptr error_;

 private:
  // | state      | the callable is  | the result and error_ are |
  // |------------|------------------|---------------------------|
  // | kPending   | nobody's yet     | nobody's                  |
  // | kRunning   | the runner's     | the runner's              |
  // | kSetting   | there is none    | the one's who came here   |
  // | kCancelled | the canceller's  | nobody's: there is none   |
  // | kFinished  | gone             | shared by all handles     |
  //
  //   kPending -> kRunning -> kFinished, kPending -> kCancelled; nothing else,
  //   but kRunning -> kCancelled for work of many parts; and for a promise, whose
  //   result may come from several threads, kPending or kRunning -> kSetting ->
  //   kFinished, or back if the result cannot be made.
  //   Who leaves kPending gets the callable, and destroys it.
  //   kQueued, a bit beside the first three: threads may be parked on the word,
  //   or hooks be listed. Legal to be set when there are none; illegal to be
  //   clear when there is one. Who makes the state final wakes the threads and
  //   takes the hooks, in one step: a hook is called or taken back, not both.
  //   [DONE] release of word_ in Finish() and Cancel() -> acquire in Done(),
  //          Cancelled() and WaitSlow(): the result before the news of it.
  //   [SET]  release of word_ in Change(), back from kSetting -> acquire in that
  //          of who sets it next: what was made of a result, and given up,
  //          before the next is made in its place.
  //   [LAST] release of references_ in each Unref() -> acquire in the last:
  //          what any holder did before the state is destroyed. Ref() is
  //          relaxed, because who calls it holds a reference already. So with
  //          handles_, DropHandle() and the result, and AddHandle().
  //   [RUNNER] runner_ is read under the lock of endless_wait.cc, while its
  //          stack is in a wait that was entered under that lock: so relaxed.
  static constexpr uint32_t kQueued = 8;

  static constexpr State StateOf(uint32_t word) {
    return static_cast<State>(word & ~kQueued);
  }
  static constexpr bool IsFinal(uint32_t word) {
    return StateOf(word) >= kCancelled;
  }

  friend class NestedCalls;

  // For NestedCalls, (N2).
  ResultState* next_call() const {
    return static_cast<ResultState*>(
        const_cast<void*>(runner_.load(std::memory_order_relaxed)));
  }
  void set_next_call(ResultState* next) {
    runner_.store(next, std::memory_order_relaxed);
  }

  void End(State state) noexcept;
  void Announce() noexcept;
  bool MarkQueued() noexcept;
  bool WaitSlow(const WaitLimit& limit);
  bool RunFromHere() noexcept;
  void ParkUntilDone(EndlessWait& wait);
  bool Park(const WaitLimit& started, EndlessWait* wait = nullptr);

  // Whether RunHere() may find something to do; and what RunInPlace() does.
  virtual bool CanRunHere() const noexcept {
    // relaxed: RunHere() looks again.
    return StateOf(word_.load(std::memory_order_relaxed)) == kPending;
  }
  virtual bool RunHere() noexcept = 0;
  virtual void DestroyCallable() noexcept = 0;
  // Destroys the result and what error_ holds.
  virtual void DestroyResult() noexcept = 0;
  virtual void Destroy() noexcept = 0;

  internal::Atomic<uint32_t> word_{kPending};
  internal::Atomic<uint32_t> references_{1};  // the task's own
  internal::Atomic<uint32_t> handles_{0};
  // The first of a ring; guarded by the parking spot of word_.
  internal::Var<ResultHook*> hooks_ = nullptr;
  // See runner(); of a state in a list of NestedCalls, the next.
  internal::Atomic<const void*> runner_{nullptr};
};

// Where the result lives: a value, a reference, or nothing.
template <typename T>
class ResultCell {
 public:
  ResultCell() {}
  ResultCell(const ResultCell&) = delete;
  ResultCell& operator=(const ResultCell&) = delete;
  // A destructor that throws is reported to the except hook.
  ~ResultCell() noexcept { Clear(); }
  void Clear() noexcept {
    if (!std::exchange(present_, false)) return;
    internal::CallReporting([this] { value_.~T(); });
  }

  // Makes the result of `call()` in place, so that T need not be movable.
  template <typename Call>
  void SetFrom(Call&& call) {
    new (static_cast<void*>(std::addressof(value_))) T(call());
    present_ = true;
  }
  T& get() { return value_; }

 private:
  union {
    std::remove_const_t<T> value_;
  };
  bool present_ = false;
};

template <typename T>
class ResultCell<T&> {
 public:
  template <typename Call>
  void SetFrom(Call&& call) {
    value_ = std::addressof(call());
  }
  void Clear() noexcept {}
  T& get() { return *value_; }

 private:
  T* value_ = nullptr;
};

template <>
class ResultCell<void> {
 public:
  template <typename Call>
  void SetFrom(Call&& call) {
    call();
  }
  void Clear() noexcept {}
  void get() {}
};

template <typename T>
class ResultOf : public ResultState {
 public:
  using ResultType = T;

  // REQUIRES: AwaitResult() has returned, or Tell is called and error() is null.
  decltype(auto) result() { return result_.get(); }

  // A handle goes; the last takes the result along, whoever else may keep the
  // state: destroyed there, in the thread that has used it, and now.
  void RemoveHandle() noexcept {
    if (!this->DropHandle()) return;
    if (this->Finished() && (!kIsTrivial || this->error_ != nullptr)) {
      NestedCalls::DestroyRest(*this);
    } else {
      this->Unref();
    }
  }

 protected:
  ~ResultOf() override = default;

  ResultCell<T> result_;

 private:
  static constexpr bool kIsTrivial =
      !std::is_object_v<T> || std::is_trivially_destructible_v<T>;

  void DestroyResult() noexcept override {
    this->error_ = nullptr;
    result_.Clear();
  }
};

// For whom nobody is to be told of the result.
struct TellNobody {
  template <typename State>
  void operator()(State& /*state*/) const {}
};

// Whether a callable is to be given a stop token: it cannot be called without.
template <typename Callable>
inline constexpr bool kTakesStopToken =
    std::conjunction_v<std::negation<std::is_invocable<Callable&>>,
                       std::is_invocable<Callable&, std::stop_token>>;

// What calls a callable, and asks it to stop.
template <typename Callable, bool = kTakesStopToken<Callable>>
class Caller {
 public:
  decltype(auto) Call(Callable& callable) { return callable(); }
  static bool RequestStop() { return false; }
};

template <typename Callable>
class Caller<Callable, true> {
 public:
  decltype(auto) Call(Callable& callable) {
    return callable(stop_.get_token());
  }
  bool RequestStop() {
    stop_.request_stop();
    return true;
  }

 private:
  std::stop_source stop_;
};

// The state of a submitted callable, which is called without arguments, or with
// a stop token. `tell(state)` is called between the run and its announcement,
// unless the task never runs; it throws nothing.
template <typename T, typename Callable, typename Tell = TellNobody>
class ResultTask final : public ResultOf<T> {
 public:
  template <typename Source>
  explicit ResultTask(Source&& source, Tell tell = Tell())
      : tell_(std::move(tell)), callable_(std::forward<Source>(source)) {}

  bool RequestStop() noexcept override {
    return !this->Done() && caller_.RequestStop();
  }

 private:
  bool Run() noexcept override {
    const bool ok = !this->TryStart() || RunStarted();
    this->Unref();
    return ok;
  }
  bool RunHere() noexcept override {
    return this->TryStart() && (RunStarted(), true);
  }
  bool RunStarted() noexcept {
    bool ok;
    {
      const RunningCall running;
      this->SetRunner(running);
      this->error_ = internal::CatchAll([this] {
        this->result_.SetFrom(
            [this]() -> T { return caller_.Call(callable_.get()); });
      });
      ok = this->error_ == nullptr;
      // Before the result is announced: who sees it may count on what the
      // callable held being gone.
      callable_.Destroy();
      tell_(*this);
    }
    this->Finish();
    return ok;
  }
  void DestroyCallable() noexcept override { callable_.Destroy(); }
  void Destroy() noexcept override { DestroyInBlock(this); }

  [[no_unique_address]] Caller<Callable> caller_;
  [[no_unique_address]] Tell tell_;
  CallableCell<Callable> callable_;  // last: see there
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_RESULT_STATE_H_
