#include "heddle/thread/internal/thread_registry.h"

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
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
constinit Var<uint32_t> forks = 0;  // changes where there is but one thread

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
  return record.kind() == ThreadRecord::Kind::kStarted && !record.daemon() &&
         !record.IsCurrent();
}

ThreadRegistry::Admission ThreadRegistry::Add(ThreadRecord& record) {
  LockGuard guard(lock);
  if (closed) return Admission::kRefused;
  PushBack(record);
  return exiting ? Admission::kAdmittedAtExit : Admission::kAdmitted;
}

void ThreadRegistry::Remove(ThreadRecord& record) {
  {
    LockGuard guard(lock);
    if (!record.registered_) return;
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
  static ThreadRecord& record =
      *new ThreadRecord(ThreadRecord::Kind::kMain);  // never destroyed
  return record;
}

ThreadRecord& ThreadRegistry::Current() {
  if (ThreadRecord* const known = ThisThread().record; known != nullptr)
    return *known;
  if (IsMainThread()) {
    Main().BecomeCurrent();
    return Main();
  }
  const auto record = RefPtr<ThreadRecord>::Adopt(
      new ThreadRecord(ThreadRecord::Kind::kForeign));
  record->BecomeCurrent();
  LockGuard guard(lock);
  PushBack(*record);  // also when closed: nobody waits for it
  return *record;
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
  size_t count = Main().IsAlive() ? 1 : 0;
  LockGuard guard(lock);
  for (const ThreadRecord* r = first; r != nullptr; r = r->next_)
    count += r->IsAlive() ? 1 : 0;
  return count;
}

bool ThreadRegistry::BeginExit() {
  LockGuard guard(lock);
  if (exiting) return false;
  exiting = true;
  return true;
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

void ThreadRegistry::FollowForks() {
  // The child has one thread. What the others held there is lost, but nobody
  // may wait for them.
  static const int followed =
      pthread_atfork([]() ABSL_NO_THREAD_SAFETY_ANALYSIS { lock.lock(); },
                     []() ABSL_NO_THREAD_SAFETY_ANALYSIS { lock.unlock(); },
                     []() ABSL_NO_THREAD_SAFETY_ANALYSIS {
                       ThreadRecord* const self = ThisThread().record;
                       for (ThreadRecord* r = first; r != nullptr;) {
                         ThreadRecord* const next = r->next_;
                         if (r != self) Unlink(*r);
                         r = next;
                       }
                       ThisThread().native_id = 0;  // it has a new one
                       ++forks;
                       lock.unlock();
                     });
  static_cast<void>(followed);
}

uint32_t ThreadRegistry::Forks() { return forks; }

}  // namespace internal
}  // namespace heddle
