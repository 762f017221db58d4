#include "heddle/thread/internal/thread_registry.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/internal/thread_record.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace internal {
namespace {

constinit RawLock lock;
constinit Var<ThreadRecord*> first ABSL_GUARDED_BY(lock) = nullptr;
constinit Var<ThreadRecord*> last ABSL_GUARDED_BY(lock) = nullptr;
constinit Var<bool> exiting ABSL_GUARDED_BY(lock) = false;
constinit Var<bool> closed ABSL_GUARDED_BY(lock) = false;
constinit Var<uint64_t> exiting_in ABSL_GUARDED_BY(lock) = 0;  // CurrentIdent()

#ifndef HEDDLE_MODEL
// [MAIN] release of main_record in Main() -> acquire there: the record before
// its address. Null: nobody has asked for it. Never destroyed.
constinit Atomic<ThreadRecord*> main_record{nullptr};
#endif

}  // namespace

// For the child of a fork().
struct ThreadRegistryReset {
  static void ResetInChild() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    lock.ResetInChild();
    first = last = nullptr;
    // If another thread was ending the process, that goes on in the parent.
    if (!ThreadRegistry::IsExitingHere()) exiting = closed = false;
#ifndef HEDDLE_MODEL
    PerThread& self = ThisThread();
    self.stands_in_for = nullptr;  // that thread is the parent's
    // The thread that called fork() is the main one now, whatever it was.
    ThreadRecord* main = self.record;
    if (main == nullptr && self.forks_as_main)
      main = main_record.load(std::memory_order_relaxed);  // one thread
    if (main != nullptr) {
      main->Ref();  // for ever, in place of the list's
      main->registered_ = false;
      main->SurviveFork();
    }
    main_record.store(main, std::memory_order_relaxed);
#endif
  }
};

namespace {

constinit AtFork at_fork(&ThreadRegistryReset::ResetInChild);

}  // namespace

// In these two, and in IsWaitedForAtExit(), `lock` is held.
void ThreadRegistry::PushBack(ThreadRecord& record)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  record.next_ = nullptr;
  record.previous_ = last;
  (last != nullptr ? last->next_ : first) = &record;
  last = &record;
  record.registered_ = true;
  record.Ref();
}

void ThreadRegistry::Unlink(ThreadRecord& record)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  (record.previous_ != nullptr ? record.previous_->next_ : first) =
      record.next_;
  (record.next_ != nullptr ? record.next_->previous_ : last) = record.previous_;
  record.registered_ = false;
}

bool ThreadRegistry::IsWaitedForAtExit(const ThreadRecord& record) {
  if (!record.JoinsAtExit() || record.IsCurrent()) return false;
  for (const PerThread* self = ThisThread().stands_in_for; self != nullptr;
       self = self->stands_in_for) {
    if (self->record == &record) return false;
  }
  return true;
}

ThreadRegistry::Admission ThreadRegistry::Add(ThreadRecord& record) {
  at_fork.Follow();
  LockGuard guard(lock);
  if (closed) return Admission::kRefused;
  PushBack(record);
  return exiting ? Admission::kAdmittedAtExit : Admission::kAdmitted;
}

void ThreadRegistry::Remove(ThreadRecord& record) {
  {
    LockGuard guard(lock);
    if (!record.registered_ || record.IsLost()) return;
    Unlink(record);
  }
  record.Unref();  // the caller has another
}

void ThreadRegistry::EndOf(ThreadRecord& record) {
  // While it is in, the end of the process joins it: until then it may run, in
  // what others have asked the system to do at a thread's end.
  if (!record.WillBeJoined()) Remove(record);
  record.SetPhase(ThreadRecord::kGone);
}

ThreadRecord& ThreadRegistry::Main() {
#ifdef HEDDLE_MODEL
  static ThreadRecord& record =
      *new ThreadRecord(ThreadRecord::Kind::kMain);  // of all executions
  return record;
#else
  at_fork.Follow();
  ThreadRecord* known = main_record.load(std::memory_order_acquire);  // [MAIN]
  if (known != nullptr) return *known;
  auto made =
      RefPtr<ThreadRecord>::Adopt(new ThreadRecord(ThreadRecord::Kind::kMain));
  if (!main_record.compare_exchange_strong(known, made.get(),
                                           std::memory_order_acq_rel)) {
    return *known;  // another thread was faster: [MAIN]
  }
  made->Ref();
  return *made;
#endif
}

ThreadRecord& ThreadRegistry::Current() {
  if (ThreadRecord* const known = ThisThread().record; known != nullptr)
    return *known;
  if (IsMainThread()) {
    ThreadRecord& main = Main();
    main.BecomeCurrent();
    return main;
  }
  at_fork.Follow();
  const auto record = RefPtr<ThreadRecord>::Adopt(
      new ThreadRecord(ThreadRecord::Kind::kForeign));
  record->BecomeCurrent();
  LockGuard guard(lock);
  PushBack(*record);  // also when closed: nobody waits for it
  return *record;
}

// A thread of somebody else's that asked who it is after the system had called
// for the last time what is to be done at its end: nobody else takes it out.
void ThreadRegistry::DropUnseenEnds() {
  for (;;) {
    RefPtr<ThreadRecord> ended;
    {
      LockGuard guard(lock);
      ThreadRecord* r = first;
      while (r != nullptr && !HasEndedUnseen(*r)) r = r->next_;
      if (r == nullptr) return;
      ended = RefPtr<ThreadRecord>(r);
      Unlink(*r);
    }
    ended->Unref();  // the list's
    ended->Unref();  // the thread's
    ended->SetPhase(ThreadRecord::kGone);
  }
}

bool ThreadRegistry::HasEndedUnseen(const ThreadRecord& record) {
  return record.kind() == ThreadRecord::Kind::kForeign && record.IsAlive() &&
         !HasThread(record.native_id_.load(std::memory_order_relaxed));
}

std::vector<RefPtr<ThreadRecord>> ThreadRegistry::Alive() {
  ThreadRecord& main = Main();
  std::vector<RefPtr<ThreadRecord>> alive;
  for (size_t room = CountAlive();;) {
    alive.reserve(room);  // without the lock: it allocates
    LockGuard guard(lock);
    room = main.IsAlive() ? 1 : 0;
    for (const ThreadRecord* r = first; r != nullptr; r = r->next_)
      room += r->IsAlive() ? 1 : 0;
    if (room > alive.capacity()) continue;
    if (main.IsAlive()) alive.emplace_back(&main);
    for (ThreadRecord* r = first; r != nullptr; r = r->next_) {
      // Those that end meanwhile leave room; none can come.
      if (r->IsAlive() && alive.size() < alive.capacity())
        alive.emplace_back(r);
    }
    return alive;
  }
}

size_t ThreadRegistry::CountAlive() {
  DropUnseenEnds();
  size_t count = Main().IsAlive() ? 1 : 0;
  LockGuard guard(lock);
  for (const ThreadRecord* r = first; r != nullptr; r = r->next_)
    count += r->IsAlive() ? 1 : 0;
  return count;
}

bool ThreadRegistry::BeginExit() {
  at_fork.Follow();
  const uint64_t ident = CurrentIdent();
  LockGuard guard(lock);
  if (exiting) return false;
  exiting = true;
  exiting_in = ident;
  return true;
}

bool ThreadRegistry::IsExitingHere() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return exiting && exiting_in == ThisThread().ident;
}

RefPtr<ThreadRecord> ThreadRegistry::NextToStop() {
  LockGuard guard(lock);
  for (ThreadRecord* r = first; r != nullptr; r = r->next_) {
    if (!IsWaitedForAtExit(*r) || r->asked_to_stop_) continue;
    r->asked_to_stop_ = true;
    return RefPtr<ThreadRecord>(r);
  }
  return {};
}

RefPtr<ThreadRecord> ThreadRegistry::NextToJoin() {
  LockGuard guard(lock);
  for (ThreadRecord* r = first; r != nullptr; r = r->next_) {
    if (IsWaitedForAtExit(*r)) return RefPtr<ThreadRecord>(r);
  }
  closed = true;
  return {};
}

RefPtr<ThreadRecord> ThreadRegistry::NextToName(
    const ThreadRecord& waited_for) {
  LockGuard guard(lock);
  for (ThreadRecord* r = first; r != nullptr; r = r->next_) {
    if (!IsWaitedForAtExit(*r) || r->named_) continue;
    // Others that are over have only not been joined yet.
    if (r != &waited_for && r->phase() > ThreadRecord::kRunning) continue;
    r->named_ = true;
    return RefPtr<ThreadRecord>(r);
  }
  return {};
}

}  // namespace internal
}  // namespace heddle
