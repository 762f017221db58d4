// ThreadRecord: what is known of one thread, whoever started it. Handles share
// it; it stays when the thread has ended.

#ifndef HEDDLE_THREAD_INTERNAL_THREAD_RECORD_H_
#define HEDDLE_THREAD_INTERNAL_THREAD_RECORD_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/optimization.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {

class ThreadRecord {
 public:
  enum class Kind : uint8_t {
    kStarted,  // by a Thread: the record is a ThreadState
    kMain,     // the thread that runs main()
    kForeign,  // by somebody else
  };

  // The record of a thread that runs already. REQUIRES: kind is not kStarted.
  explicit ThreadRecord(Kind kind);
  ThreadRecord(const ThreadRecord&) = delete;
  ThreadRecord& operator=(const ThreadRecord&) = delete;

  // As the methods of Thread and ThreadHandle.
  std::string name() const;
  void set_name(std::string name);
  std::optional<uint64_t> ident() const;
  std::optional<uint64_t> native_id() const;
  bool daemon() const;
  void set_daemon(bool daemon);
  bool IsAlive() const;
  virtual bool Join(const WaitLimit& limit);
  virtual bool RequestStop() { return false; }
  // Whether the end of the process waits for it.
  virtual bool JoinsAtExit() const { return false; }
  // In the thread itself, at its end: whether somebody will join it.
  virtual bool WillBeJoined() const { return false; }
  [[nodiscard]] std::string DebugString() const;
  // Whether the thread sleeps in a wait of Heddle's. It may change at any time.
  bool Waits() const { return waits_.load(std::memory_order_relaxed); }

  Kind kind() const { return kind_; }
  // Whether it is the calling thread's, to the very end of that.
  bool IsCurrent() const;

  // In the child of a fork(): whether it was a thread of the parent's, started
  // and not the one that called fork(). Such a thread counts as joined.
  bool IsLost() const {
    return Forks() != 0 && forks_.load(std::memory_order_relaxed) != Forks() &&
           phase_.load(std::memory_order_acquire) != kNew;
  }

  void Ref() noexcept {
    references_.fetch_add(1, std::memory_order_relaxed);  // see [LAST]
  }
  void Unref() noexcept;

  // Makes this the record of the calling thread, from here to its end, when it
  // leaves the registry and its phase becomes kGone.
  void BecomeCurrent();

 protected:
  // | phase_    | meaning                                  | next, by          |
  // |-----------|------------------------------------------|-------------------|
  // | kNew      | not started                              | kStarting, Start  |
  // | kStarting | the system was asked for a thread        | kRunning, thread  |
  // |           | ... and refused                          | kNew, Start       |
  // |           | ... and refused what the thread asks for | kRefused, thread  |
  // | kRefused  | the thread leaves without having run     | kNew, Start       |
  // | kRunning  | the function runs                        | kEnded, thread    |
  // | kEnded    | the function has ended and is destroyed  | kGone, thread     |
  // | kGone     | its thread_local objects are destroyed   | kJoined, Join     |
  // | kJoined   | nothing is left of it at the system      |                   |
  //
  // A thread that was let go never leaves kGone. The record of a thread that is
  // not Heddle's begins as kRunning and ends as kGone.
  //   [PHASE] release store of phase_ in SetPhase() -> acquire load in phase():
  //   what was done in one phase is visible to who sees a later one.
  //   [LAST]  release of references_ in each Unref() -> acquire in the last:
  //   what any holder did before the record is destroyed. Ref() is relaxed,
  //   because who calls it holds a reference already.
  enum Phase : uint32_t {
    kNew,
    kStarting,
    kRefused,
    kRunning,
    kEnded,
    kGone,
    kJoined
  };

  // The record of a thread to come; an empty `name` stands for the default one,
  // "Thread-N (function_name)". REQUIRES: `function_name` lives for ever.
  ThreadRecord(std::string name, std::string_view function_name, bool daemon);
  virtual ~ThreadRecord() = default;

  Phase phase() const {
    if (ABSL_PREDICT_FALSE(IsLost())) return kJoined;
    return static_cast<Phase>(
        phase_.load(std::memory_order_acquire));  // [PHASE]
  }
  // Says that it is a thread of this process. Before it leaves kNew, and of the
  // thread that called fork(), in the child.
  void BelongHere() {
    if (Forks() != 0) forks_.store(Forks(), std::memory_order_relaxed);
  }
  // For every change but that to kEnded, which nobody waits for.
  void SetPhase(Phase phase);
  // Waits until the thread runs or has run, or has failed to start, and returns
  // the phase. Does not wait in kNew.
  Phase AwaitStarted() const;
  // Waits until the phase is `wanted`, kGone or kJoined, or a later one; false
  // if `limit` passed first or the thread is not started, or fails to be.
  // REQUIRES: `limit` is started().
  bool AwaitEnd(Phase wanted, const WaitLimit& limit) const;

  // What threads are parked on: those in AwaitStarted(), and those in
  // AwaitEnd(). Two keys, so that who waits for the end sleeps through the
  // start.
  const void* start_key() const { return &native_id_; }
  const void* end_key() const { return &phase_; }

  // Gives the calling thread, which is this one, the name at the system too.
  void ApplySystemName() const;

  Atomic<uint32_t> phase_;
  // Written before the phase says that there is one, and by nobody afterwards.
  // relaxed throughout: 0 or that one value.
  Atomic<uint64_t> ident_{0};
  Atomic<uint32_t> native_id_{0};

 private:
  friend class ThreadRegistry;
  friend struct ThreadRegistryReset;

  // In the child of a fork(): it is the thread that called that.
  void SurviveFork();

  std::shared_ptr<const std::string> GivenName() const;

  const Kind kind_;
  // Forks() of the process whose thread it is. relaxed throughout: it changes
  // before phase_ leaves kNew, or where there is but one thread.
  Atomic<uint32_t> forks_{Forks()};
  // Changes only in kNew. relaxed throughout: it orders nothing else.
  Atomic<bool> daemon_;
  Atomic<uint32_t> references_{1};  // the maker's

  const std::string_view function_name_;
  const uint64_t default_number_;  // the N of Thread-N; 0: it has no such name
  // Null: the default. Never changed but replaced, so that nothing is copied or
  // destroyed under the lock of all names, in thread_record.cc.
  std::shared_ptr<const std::string> name_;

  // Guarded by the registry's lock.
  Var<ThreadRecord*> next_ = nullptr;
  Var<ThreadRecord*> previous_ = nullptr;
  Var<bool> registered_ = false;
  Var<bool> asked_to_stop_ = false;  // by the end of the process
  Var<bool> named_ = false;          // the same: as one it waits for
  // The thread itself writes it, for a message only: no step of any protocol.
  std::atomic<bool> waits_{false};
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_THREAD_RECORD_H_
