#include "heddle/pool/worker_pool.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/at_exit.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

// One queue, one lock. How workers sleep:
//
//   (W1) sleeping_ counts the workers parked on this core that nobody has
//        claimed. It changes only under lock_; workers park without a limit,
//        so each claim comes from WakeOne() or Shutdown(), which count it.
//   (W2) waking_ is true from the moment a worker is claimed by WakeOne() until
//        it has lock_ again. One at a time: a wake-up costs as much as a
//        hundred tasks, and a worker on its way will look at the whole queue.
//   (W3) when lock_ is free and tasks are queued, no worker sleeps or waking_
//        is true: Schedule() wakes one unless one is on its way, and each
//        worker that takes a task wakes the next if tasks are left.
//
// A worker looks at the queue and joins the sleepers under one hold of lock_,
// so no task comes in between. Hence, by (W3), no task waits while a worker
// sleeps that nobody has woken.
class WorkerPool::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(int max_workers, std::string name_prefix)
      : max_workers_(max_workers),
        name_prefix_(name_prefix.empty()
                         ? absl::StrCat("WorkerPool-", NextPoolNumber())
                         : std::move(name_prefix)) {}

  // False if the program is at its end.
  bool ShutDownAtExit() { return exit_hook_.Register(); }

  std::exception_ptr StartAll();
  bool Schedule(Task& task);
  size_t Shutdown(ShutdownMode mode);
  bool Join(const WaitLimit& limit);

  bool IsWorkerHere() const { return current == number_; }
  int max_workers() const { return max_workers_; }
  int started_workers();

 private:
  // The number of the core whose worker the calling thread is; 0 in others. Not
  // its address: a worker may outlive the core, its thread_locals may make
  // pools when they are destroyed, and one of those would get that address.
  static thread_local uint64_t current;

  static uint64_t NextNumber() {
    static constinit internal::Atomic<uint64_t> last{0};
    // relaxed: all that counts is that no two are alike.
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  // The N of the default prefix, which only the pools that have it count.
  static uint64_t NextPoolNumber() {
    static constinit internal::Atomic<uint64_t> last{0};
    // relaxed: all that counts is that no two are alike.
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  // Where idle workers park. Not `this`: an address is a key to one queue, and
  // a member's could be the same.
  const void* key() const { return &sleeping_; }

  std::exception_ptr TryStartOne() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void WakeOne(WakeList& woken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void Work();
  Task NextTask(bool done_one);

  const uint64_t number_ = NextNumber();
  const int max_workers_;
  const std::string name_prefix_;
  Lock lock_;
  TaskQueue queue_ ABSL_GUARDED_BY(lock_);
  bool shut_down_ ABSL_GUARDED_BY(lock_) = false;
  size_t busy_ ABSL_GUARDED_BY(lock_) = 0;      // workers that run a task
  size_t sleeping_ ABSL_GUARDED_BY(lock_) = 0;  // (W1)
  bool waking_ ABSL_GUARDED_BY(lock_) = false;  // (W2)
  // Grows under lock_ until shut_down_, and does not change after it.
  std::vector<Thread> threads_;
  // The workers are no daemons: the end of the program waits for them, and this
  // tells them to end. It goes first: it waits for the hook if that runs.
  internal::ExitHook exit_hook_{
      [](void* core) {
        static_cast<Core*>(core)->Shutdown(ShutdownMode::kDrain);
      },
      this};
};

thread_local uint64_t WorkerPool::Core::current = 0;

// Starts a worker; returns why not, or null.
std::exception_ptr WorkerPool::Core::TryStartOne() {
  return internal::CatchAll([this] {
    Thread worker({.name = absl::StrCat(name_prefix_, "_", threads_.size()),
                   .daemon = false},
                  [core = shared_from_this()] { core->Work(); });
    threads_.reserve(threads_.size() + 1);
    worker.Start();
    threads_.push_back(std::move(worker));
  });
}

std::exception_ptr WorkerPool::Core::StartAll() {
  LockGuard guard(lock_);
  std::exception_ptr error;
  for (int i = 0; i < max_workers_ && error == nullptr; ++i)
    error = TryStartOne();
  return error;
}

int WorkerPool::Core::started_workers() {
  LockGuard guard(lock_);
  return static_cast<int>(threads_.size());
}

void WorkerPool::Core::WakeOne(WakeList& woken) {
  if (sleeping_ == 0 || waking_) return;  // (W2)
  ParkingSpot spot(key());
  spot.Wake(1, woken);
  --sleeping_;  // (W1)
  waking_ = true;
}

bool WorkerPool::Core::Schedule(Task& task) {
  WakeList woken;
  LockGuard guard(lock_);
  if (shut_down_) return false;
  const size_t free_workers = threads_.size() - busy_;
  if (queue_.size() >= free_workers &&
      threads_.size() < static_cast<size_t>(max_workers_)) {
    // Started before the task is taken, so that a refusal changes nothing; and
    // under the lock, so that nobody counts on a worker that does not come.
    const std::exception_ptr error = TryStartOne();
    if (error != nullptr && threads_.empty()) internal::Rethrow(error);
  }
  queue_.Push(std::move(task));
  WakeOne(woken);  // (W3)
  return true;
}

Task WorkerPool::Core::NextTask(bool done_one) {
  for (bool slept = false;; slept = true) {
    Waiter waiter;
    {
      WakeList woken;
      LockGuard guard(lock_);
      if (slept) {
        waking_ = false;  // (W2)
      } else if (done_one) {
        --busy_;
      }
      if (Task task = queue_.Pop()) {
        ++busy_;
        if (!queue_.empty()) WakeOne(woken);  // (W3)
        return task;
      }
      if (shut_down_) return Task();
      ++sleeping_;  // (W1)
      ParkingSpot spot(key());
      spot.Add(waiter);
    }
    waiter.Sleep(WaitLimit());
  }
}

void WorkerPool::Core::Work() {
  current = number_;
  Task task = NextTask(/*done_one=*/false);
  while (task) {
    std::move(task).Run();
    task = NextTask(/*done_one=*/true);
  }
}

size_t WorkerPool::Core::Shutdown(ShutdownMode mode) {
  TaskQueue dropped;  // ends after the lock: what is dropped runs code of users
  WakeList woken;
  LockGuard guard(lock_);
  shut_down_ = true;
  if (mode == ShutdownMode::kDropQueued) dropped.swap(queue_);
  ParkingSpot spot(key());
  spot.WakeAll(woken);
  sleeping_ = 0;  // (W1)
  return dropped.size();
}

bool WorkerPool::Core::Join(const WaitLimit& limit) {
  if (IsWorkerHere()) {
    internal::Throw(std::logic_error(
        "WorkerPool::Join: a worker cannot join its own pool"));
  }
  {
    LockGuard guard(lock_);
    if (!shut_down_) {
      internal::Throw(
          std::logic_error("WorkerPool::Join: the pool is still running"));
    }
  }
  const WaitLimit started = limit.Started();
  for (Thread& thread : threads_) {
    if (!thread.Join(started)) return false;
  }
  return true;
}

WorkerPool::WorkerPool(const Options& options) {
  if (options.max_workers < 0) {
    internal::Throw(
        std::invalid_argument("WorkerPool: max_workers must not be negative"));
  }
  core_ = std::make_shared<Core>(
      options.max_workers != 0 ? options.max_workers : internal::UsableCpus(),
      options.name_prefix);
  if (!core_->ShutDownAtExit()) {
    core_->Shutdown(ShutdownMode::kDrain);
    return;
  }
  if (options.start == StartPolicy::kOnDemand) return;
  if (std::exception_ptr error = core_->StartAll(); error != nullptr) {
    core_->Shutdown(ShutdownMode::kDrain);  // those that did start go again
    core_->Join(WaitLimit());
    internal::Rethrow(std::move(error));
  }
}

WorkerPool::~WorkerPool() {
  core_->Shutdown(ShutdownMode::kDrain);
  // In a worker of its own the core lives on until the last worker has ended.
  if (!core_->IsWorkerHere()) core_->Join(WaitLimit());
}

bool WorkerPool::Schedule(Task& task) { return core_->Schedule(task); }
size_t WorkerPool::Shutdown(ShutdownMode mode) { return core_->Shutdown(mode); }
bool WorkerPool::Join(const WaitLimit& limit) { return core_->Join(limit); }
bool WorkerPool::IsWorkerHere() const { return core_->IsWorkerHere(); }
int WorkerPool::max_workers() const { return core_->max_workers(); }
int WorkerPool::started_workers() const { return core_->started_workers(); }

}  // namespace heddle
