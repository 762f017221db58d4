// Every way to wait in sync/ under one interface, for the tests of what all of
// them promise. Test-only.

#ifndef HEDDLE_SYNC_INTERNAL_WAIT_SUBJECTS_H_
#define HEDDLE_SYNC_INTERNAL_WAIT_SUBJECTS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"
#include "heddle/sync/barrier.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/event.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/latch.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/sync/shared_lock.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace sync_internal {

// Made by the thread that releases; nothing that it waits for has come to pass
// then.
class WaitSubject {
 public:
  WaitSubject() = default;
  WaitSubject(const WaitSubject&) = delete;
  WaitSubject& operator=(const WaitSubject&) = delete;
  virtual ~WaitSubject() = default;

  // Waits; true if that was not in vain. Keeps no lock.
  virtual bool Wait(const WaitLimit& limit) = 0;
  virtual bool Wait() = 0;
  // Lets the threads go that wait, `waiters` of them.
  virtual void Release(int waiters) = 0;
  // Lets the next Wait() go, while nobody waits.
  virtual void Open() = 0;
  // After a Wait() in vain: as good as new.
  virtual void Mend() {}
  // How many threads wait.
  virtual int waiters() const = 0;

  // There is something to be had before anybody waits: Open().
  static constexpr bool kOpens = true;
  // Release(1) lets exactly one thread go, not all in turn.
  static constexpr bool kCounts = false;
  // A Wait() in vain takes the others' with it.
  static constexpr bool kBreaks = false;
  // Release() is carried out in the thread that calls it.
  static constexpr bool kReleasesHere = true;
};

// Who gets hold of it gives it back at once, so all who wait go in turn.
template <typename Lockable>
class HeldLock : public WaitSubject {
 public:
  explicit HeldLock(int /*waiters*/) HEDDLE_UNCHECKED { lock_.lock(); }

  bool Wait(const WaitLimit& limit) override HEDDLE_UNCHECKED {
    if (!lock_.try_lock_for(limit)) return false;
    lock_.unlock();
    return true;
  }
  bool Wait() override HEDDLE_UNCHECKED {
    lock_.lock();
    lock_.unlock();
    return true;
  }
  void Release(int /*waiters*/) override HEDDLE_UNCHECKED { lock_.unlock(); }
  void Open() override HEDDLE_UNCHECKED { lock_.unlock(); }
  int waiters() const override { return LockWaitersOf(lock_); }

 private:
  Lockable lock_;
};

// A lock that is recursive, and therefore held by a thread of its own.
template <typename Lockable>
class LockHeldElsewhere : public WaitSubject {
 public:
  static constexpr bool kReleasesHere = false;

  explicit LockHeldElsewhere(int /*waiters*/) {
    holder_.emplace([this]() HEDDLE_UNCHECKED {
      lock_.lock();
      held_.Set();
      release_.Wait();
      lock_.unlock();
      return 0;
    });
    held_.Wait();
  }
  ~LockHeldElsewhere() override { release_.Set(); }

  bool Wait(const WaitLimit& limit) override HEDDLE_UNCHECKED {
    if (!lock_.try_lock_for(limit)) return false;
    lock_.unlock();
    return true;
  }
  bool Wait() override HEDDLE_UNCHECKED {
    lock_.lock();
    lock_.unlock();
    return true;
  }
  void Release(int /*waiters*/) override {
    release_.Set();
    holder_->Result();
  }
  void Open() override { Release(1); }
  int waiters() const override { return LockWaitersOf(lock_); }

 private:
  Lockable lock_;
  Event held_;
  Event release_;
  std::optional<Background> holder_;
};

class WriterBehindReader : public WaitSubject {
 public:
  explicit WriterBehindReader(int /*waiters*/) HEDDLE_UNCHECKED {
    lock_.lock_shared();
  }

  bool Wait(const WaitLimit& limit) override HEDDLE_UNCHECKED {
    if (!lock_.try_lock_for(limit)) return false;
    lock_.unlock();
    return true;
  }
  bool Wait() override HEDDLE_UNCHECKED {
    lock_.lock();
    lock_.unlock();
    return true;
  }
  void Release(int /*waiters*/) override HEDDLE_UNCHECKED {
    lock_.unlock_shared();
  }
  void Open() override HEDDLE_UNCHECKED { lock_.unlock_shared(); }
  int waiters() const override { return LockWaitersOf(lock_); }

 private:
  SharedLock lock_;
};

class ReaderBehindWriter : public WaitSubject {
 public:
  explicit ReaderBehindWriter(int /*waiters*/) HEDDLE_UNCHECKED {
    lock_.lock();
  }

  bool Wait(const WaitLimit& limit) override HEDDLE_UNCHECKED {
    if (!lock_.try_lock_shared_for(limit)) return false;
    lock_.unlock_shared();
    return true;
  }
  bool Wait() override HEDDLE_UNCHECKED {
    lock_.lock_shared();
    lock_.unlock_shared();
    return true;
  }
  void Release(int /*waiters*/) override HEDDLE_UNCHECKED { lock_.unlock(); }
  void Open() override HEDDLE_UNCHECKED { lock_.unlock(); }
  int waiters() const override { return LockWaitersOf(lock_); }

 private:
  SharedLock lock_;
};

// A condition that refers to a lock of its user's.
template <typename Lockable>
class ConditionOn {
 public:
  void lock() HEDDLE_UNCHECKED { condition_.lock(); }
  void unlock() HEDDLE_UNCHECKED { condition_.unlock(); }
  [[nodiscard]] bool try_lock() HEDDLE_UNCHECKED {
    return condition_.try_lock();
  }
  [[nodiscard]] bool try_lock_for(const WaitLimit& limit) HEDDLE_UNCHECKED {
    return condition_.try_lock_for(limit);
  }
  bool Wait(const WaitLimit& limit) { return condition_.Wait(limit); }
  template <typename Predicate>
  bool WaitFor(Predicate predicate, const WaitLimit& limit) {
    return condition_.WaitFor(predicate, limit);
  }
  void Notify(int64_t count) { condition_.Notify(count); }
  void NotifyAll() { condition_.NotifyAll(); }
  std::string DebugString() const { return condition_.DebugString(); }

 private:
  Lockable lock_;
  Condition condition_{lock_};
};

// Waits to be notified, whatever for.
template <typename SomeCondition>
class Notification : public WaitSubject {
 public:
  static constexpr bool kOpens = false;
  static constexpr bool kCounts = true;

  explicit Notification(int /*waiters*/) {}

  bool Wait() override { return Wait(WaitLimit()); }
  bool Wait(const WaitLimit& limit) override HEDDLE_UNCHECKED {
    condition_.lock();
    const bool notified = condition_.Wait(limit);
    condition_.unlock();
    return notified;
  }
  void Release(int waiters) override HEDDLE_UNCHECKED {
    condition_.lock();
    condition_.Notify(waiters);
    condition_.unlock();
  }
  void Open() override { FAIL() << "a condition remembers nothing"; }
  int waiters() const override { return WaitersOf(condition_); }

 private:
  SomeCondition condition_;
};

// Waits until a predicate holds.
template <typename SomeCondition>
class Predicate : public WaitSubject {
 public:
  explicit Predicate(int /*waiters*/) {}

  bool Wait() override { return Wait(WaitLimit()); }
  bool Wait(const WaitLimit& limit) override HEDDLE_UNCHECKED {
    condition_.lock();
    const bool open = condition_.WaitFor([this] { return open_; }, limit);
    condition_.unlock();
    return open;
  }
  void Release(int /*waiters*/) override HEDDLE_UNCHECKED {
    condition_.lock();
    open_ = true;
    condition_.NotifyAll();
    condition_.unlock();
  }
  void Open() override { Release(1); }
  int waiters() const override { return WaitersOf(condition_); }

 private:
  SomeCondition condition_;
  bool open_ = false;
};

class EmptySemaphore : public WaitSubject {
 public:
  static constexpr bool kCounts = true;

  explicit EmptySemaphore(int /*waiters*/) {}

  bool Wait(const WaitLimit& limit) override {
    return semaphore_.Acquire(limit);
  }
  bool Wait() override { return semaphore_.Acquire(); }
  void Release(int waiters) override { semaphore_.Release(waiters); }
  void Open() override { semaphore_.Release(); }
  int waiters() const override { return WaitersOf(semaphore_); }

 private:
  Semaphore semaphore_{0};
};

class EmptyBoundedSemaphore : public WaitSubject {
 public:
  static constexpr bool kCounts = true;

  explicit EmptyBoundedSemaphore(int waiters) : semaphore_(waiters) {
    for (int i = 0; i < waiters; ++i) semaphore_.Acquire();
  }

  bool Wait(const WaitLimit& limit) override {
    return semaphore_.Acquire(limit);
  }
  bool Wait() override { return semaphore_.Acquire(); }
  void Release(int waiters) override { semaphore_.Release(waiters); }
  void Open() override { semaphore_.Release(); }
  int waiters() const override { return WaitersOf(semaphore_); }

 private:
  BoundedSemaphore semaphore_;
};

class UnsetEvent : public WaitSubject {
 public:
  explicit UnsetEvent(int /*waiters*/) {}

  bool Wait() override { return Wait(WaitLimit()); }
  bool Wait(const WaitLimit& limit) override { return event_.Wait(limit); }
  void Release(int /*waiters*/) override { event_.Set(); }
  void Open() override { event_.Set(); }
  int waiters() const override { return WaitersOf(event_); }

 private:
  Event event_;
};

class LatchOfOne : public WaitSubject {
 public:
  explicit LatchOfOne(int /*waiters*/) {}

  bool Wait() override { return Wait(WaitLimit()); }
  bool Wait(const WaitLimit& limit) override { return latch_.Wait(limit); }
  void Release(int /*waiters*/) override { latch_.CountDown(); }
  void Open() override { latch_.CountDown(); }
  int waiters() const override { return WaitersOf(latch_); }

 private:
  Latch latch_{1};
};

// The one who releases is the last to arrive.
class IncompleteBarrier : public WaitSubject {
 public:
  static constexpr bool kBreaks = true;

  explicit IncompleteBarrier(int waiters) : barrier_(waiters + 1) {}

  bool Wait(const WaitLimit& limit) override {
    return Meets([&] { barrier_.Wait(limit); });
  }
  bool Wait() override {
    return Meets([&] { barrier_.Wait(); });
  }
  void Release(int /*waiters*/) override {
    Meets([&] { barrier_.Wait(); });
  }
  // With one waiter: it will be the last of two.
  void Open() override {
    opener_.emplace([this] { return Meets([&] { barrier_.Wait(); }); });
    AwaitWaiters(barrier_, 1);
  }
  void Mend() override { barrier_.Reset(); }
  int waiters() const override { return WaitersOf(barrier_); }

 private:
  template <typename Meeting>
  static bool Meets(Meeting meeting) {
#ifdef ABSL_HAVE_EXCEPTIONS
    try {
      meeting();
    } catch (const BrokenBarrierError&) {
      return false;
    }
#else
    meeting();
#endif
    return true;
  }

  Barrier barrier_;
  std::optional<Background> opener_;
};

// One way to wait.
struct WaitSubjectKind {
  std::string name;  // letters, digits and underscores
  std::unique_ptr<WaitSubject> (*make)(int waiters);
  // See WaitSubject.
  bool opens;
  bool counts;
  bool breaks;
  bool releases_here;
};

// All of them. (Without exceptions no barrier: nobody survives a broken one.)
std::vector<WaitSubjectKind> AllWaitSubjects();
// Those that have a fact of theirs, and those that have it not.
std::vector<WaitSubjectKind> WaitSubjectsThat(bool WaitSubjectKind::*fact);
std::vector<WaitSubjectKind> WaitSubjectsNotThat(bool WaitSubjectKind::*fact);

// For INSTANTIATE_TEST_SUITE_P.
inline std::string NameOfKind(
    const testing::TestParamInfo<WaitSubjectKind>& info) {
  return info.param.name;
}

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_WAIT_SUBJECTS_H_
