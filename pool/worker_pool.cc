// How workers find work and sleep, and why no task is left behind, is in
// internal/README.md: (R1)-(R4). What is added here:
//
//   (W1) Tasks are accepted only while there is a worker, or one is started
//        first: a thread that runs, and not one that is only being started.
//        Workers end only when the pool is closed and they have found nothing,
//        or when others are left that run. Once all_ended_ is set, which happens
//        under start_lock_, no thread starts any more.
//   (W2) The injection queue is closed before phase_ says so, and a worker reads
//        phase_ before its last look: so the last look finds what was accepted
//        from outside. While a pool drains its workers sleep as ever, for its
//        tasks may schedule others; the worker that falls asleep last, and has
//        looked after that, knows that there is no task left nor any that could
//        schedule one, and ends the pool. A thread that goes in another way while
//        all others sleep wakes them, so that one of them falls asleep last.
//   (W3) A worker's place in workers_ is used again only after its last thread
//        has put it into free_, which is that thread's last touch of it. That
//        thread may run a user's code yet, for as long as it likes, and even be
//        the one that starts the next: it is not waited for, but kept in left_,
//        where Join() finds it.
//   (W4) A task may end its pool, and with the last worker the core goes, before
//        the Schedule() that queued it has returned. So that touches nothing of
//        the pool after its push; or, if it has to call a worker, has a
//        reference to the core, which it took before the task could be taken.
//   (W5) A call that could not start its thread is made again: by each
//        Schedule() until a start succeeds or a worker finds nothing to do, and
//        by blocked workers at intervals, for who would come otherwise may be
//        blocked too.
//   (W6) Dropping: a task has begun when it is taken out of a place singly, by
//        the worker that runs it. phase_ is kEnding, and the queue closed to all,
//        before DropQueued() empties all places; a batch changes its place under
//        the queue's lock; and what a task schedules into its worker's own deque
//        is taken back if phase_ is kEnding after that (the push and this load,
//        like the store of phase_ and the look into the deque, are seq_cst). So
//        when DropQueued() returns, no task is left that has not begun.
//   (W7) A worker that begins runs a user's code first, and stops searching for
//        that: who puts work somewhere meanwhile calls another. It counts in
//        beginning_, unless it is blocked, and comes for one task: so a worker
//        that stops searching, as one that begins does, calls the next only if
//        there is a sleeper, or more work than beginning_. Each of those that
//        begin looks for work after that, and searches then, unless another
//        does. The one that stops first empties the producers' list: what was
//        pushed before is counted, and the next push calls.

#include "heddle/pool/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "heddle/pool/async_result.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/batch_pace.h"
#include "heddle/pool/internal/cpu_quota.h"
#include "heddle/pool/internal/injection_queue.h"
#include "heddle/pool/internal/next_number.h"
#include "heddle/pool/internal/patience.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/internal/roster.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/internal/ticks.h"
#include "heddle/pool/internal/work_deque.h"
#include "heddle/pool/internal/worker_counters.h"
#include "heddle/pool/task.h"
#include "heddle/sync/event.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/at_exit.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/block_listener.h"
#include "heddle/thread/internal/call_reporting.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/one_line.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/internal/thread_registry.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::RefPtr;
using pool_internal::InjectionQueue;
using pool_internal::Roster;
using pool_internal::WorkDeque;

namespace {

// How long a worker without a task looks for one, awake, before it sleeps: the
// next one often comes within a microsecond of the last, and to be woken takes
// fifty. One worker at a time does.
#ifdef HEDDLE_MODEL
constexpr int kSearchRounds = 0;  // who waits any longer sees nothing new
#else
constexpr int kSearchRounds = 100;
#endif

// One task in so many is one from outside, however many the worker's own tasks
// schedule.
constexpr uint64_t kLooksBetweenOthers = 64;

// While it lives, waits of this thread are the pool's own, and no task's.
class PoolsOwnWaits {
 public:
  PoolsOwnWaits()
      : thread_(internal::ThisThread()),
        listener_(std::exchange(thread_.block_listener, nullptr)) {}
  PoolsOwnWaits(const PoolsOwnWaits&) = delete;
  PoolsOwnWaits& operator=(const PoolsOwnWaits&) = delete;
  ~PoolsOwnWaits() { thread_.block_listener = listener_; }

 private:
  internal::PerThread& thread_;
  internal::BlockListener* const listener_;
};

// A pool's number, from 1. Not its address: a worker may outlive the core, its
// thread_locals may make pools when they are destroyed, and one of those would
// get that address.
uint64_t NextPoolNumber() {
  static constinit internal::Atomic<uint64_t> next{1};
  return pool_internal::NextNumber(next);
}

// The N of the default prefix, which only the pools that have it count.
uint64_t NextNameNumber() {
  static constinit internal::Atomic<uint64_t> next{1};
  return pool_internal::NextNumber(next);
}

// A worker that is blocked for long sees to it this often that its pool goes on.
constexpr int64_t kMostCheckNanos = 1'000'000'000;

// A bound that is as good as none, and leaves the semaphore some room.
constexpr size_t kMostQueued = std::numeric_limits<int64_t>::max() / 2;

// The options with everything filled in that was left open.
WorkerPool::Options Checked(WorkerPool::Options options) {
  const char* wrong = nullptr;
  const int spares = options.max_spares.value_or(
      options.max_workers == 0 ? WorkerPool::kDefaultSpares : 0);
  constexpr int kMost = Roster::kMost;
  if (options.max_workers < 0) {
    wrong = "max_workers must not be negative";
  } else if (spares < 0) {
    wrong = "max_spares must not be negative";
  } else if (options.max_workers > kMost || spares > kMost ||
             std::max(options.max_workers, 1) + spares > kMost) {
    wrong = "max_workers and max_spares must not be over 65535 together";
  } else if (options.idle_time < absl::ZeroDuration()) {
    wrong = "idle_time must not be negative";
  } else if (options.max_queued > std::numeric_limits<int64_t>::max()) {
    wrong = "max_queued must not be over 2^63 - 1, or negative";
  }
  if (wrong != nullptr)
    internal::Throw(std::invalid_argument(absl::StrCat("WorkerPool: ", wrong)));
  if (options.max_workers == 0)
    options.max_workers = std::min(pool_internal::CpusToUse(), kMost - spares);
  options.max_spares = spares;
  options.max_queued = std::min(options.max_queued, kMostQueued);
  return options;
}

WorkerPool::Options OptionsFor(int max_workers) {
  if (max_workers < 1) {
    internal::Throw(std::invalid_argument(absl::StrCat(
        "WorkerPool: the number of workers must be at least 1, not ",
        max_workers)));
  }
  WorkerPool::Options options;
  options.max_workers = max_workers;
  return options;
}

}  // namespace

// One worker's place, open to the core. It outlives its thread, so that thieves
// need not ask whether it is there.
class WorkerPool::Worker final : public internal::BlockListener {
 public:
  Worker(Core& core, int n) : number(n), core_(core) {}

  void Blocked() noexcept override;
  void Unblocked() noexcept override;
  int64_t StillBlocked() noexcept override;

  Core& core() { return core_; }

  static constexpr uint64_t kNoCheck = std::numeric_limits<uint64_t>::max();

  const int number;              // the N of its name
  std::optional<Thread> thread;  // none: it could not be started
  WorkDeque<Task::Node> tasks{InjectionQueue::kMaxBatch};
  WorkDeque<Task::Node> forks{8};
  pool_internal::WorkerCounters counters;
  internal::Atomic<bool> at_task{false};  // relaxed: for reports

  // How often it has been blocked and has gone on, together, and how much of that
  // the observer has been told, under the lock: see TellOfWaits().
  internal::Atomic<uint32_t> wait_changes{0};
  internal::Atomic<uint32_t> wait_changes_told{0};
  Lock tell_lock;

  // The batch that it has taken, for those who may take from it. What is below
  // the end in `tasks` is of the batch; a greater number is a newer batch. Hints:
  // relaxed.
  internal::Atomic<int64_t> batch_end{0};
  internal::Atomic<uint64_t> batch_number{0};
  internal::Atomic<int64_t> batch_ticks{0};  // when it was taken
  bool HasBatchLeft() const {
    return tasks.top() < batch_end.load(std::memory_order_relaxed);
  }
  bool IsBatchLate(int64_t now) const {
    return now - batch_ticks.load(std::memory_order_relaxed) >
           pool_internal::BatchPace::kLateTicks;
  }

  // The thread's own:
  bool searching = false;  // counted as such by the roster
  bool begins = false;     // (W7)
  int blocked_depth = 0;
  int64_t check_nanos = 0;            // until the next one, while it is blocked
  uint64_t done_at_check = kNoCheck;  // what its stuck pool had done then
  bool in_observer = false;
  uint64_t looks = 0;
  pool_internal::Patience patience;  // before it fetches the next batch
  pool_internal::BatchPace pace;     // how large that may be
  bool has_batch = false;            // counted in Core::batches_
  int64_t ticks = 0;                 // when its last task ended, or came
  size_t victim = 0;                 // where to begin to steal
  size_t watched = 0;  // whose oldest task was seen last, and its number
  int64_t watched_top = -1;

 private:
  Core& core_;
};

class WorkerPool::Core {
 public:
  explicit Core(const Options& options);

  // By the pool, by each of its threads, and by those of (W4).
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    // acq_rel: what any of them did before it is destroyed.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // False if the program is at its end.
  bool CloseAtExit() { return exit_hook_.Register(); }

  std::exception_ptr StartAll();
  bool Schedule(Task& task, const WaitLimit& limit);
  bool ScheduleMany(TaskQueue& tasks);
  // The pool's life, which only goes on.
  enum class Phase {
    kOpen,      // accepts all tasks
    kDraining,  // accepts those that its own tasks schedule
    kEnding,    // accepts none; a worker that finds none ends
  };
  void Close(Phase phase);
  void CloseWithProgram();
  size_t DropQueued(const std::exception_ptr& why);
  bool Join(const WaitLimit& limit);
  ShutdownReport Report(size_t dropped);
  PoolStats Stats();

  // A child of a fork() has none of the workers, and locks of theirs may be
  // held for ever: nothing is touched there.
  bool IsParents() const { return forks_ != internal::ThreadRegistry::Forks(); }
  bool IsClosed() const {
    return phase_.load(std::memory_order_acquire) != Phase::kOpen ||
           IsParents();
  }
  bool AcceptsHere() const { return !IsParents() && AcceptsFrom(Here()); }
  bool IsBroken() const { return broken_.load(std::memory_order_acquire); }
  bool IsWorkerHere() const {
    return internal::ThisThread().pool == number_ && !IsParents();
  }
  Worker* Here() const {
    return IsWorkerHere() ? static_cast<Worker*>(internal::ThisThread().worker)
                          : nullptr;
  }
  int max_workers() const { return options_.max_workers; }
  uint64_t number() const { return number_; }
  int threads() const { return roster_.counts().threads; }

  bool SeemsToHaveWork() const;

  // Somebody has made work visible.
  void CallForWork() {
    const Roster::Call call = roster_.CallOne();
    if (call != Roster::Call::kNobody) Called(call);
  }

 private:
  friend class Worker;

  size_t max_threads() const {
    return static_cast<size_t>(options_.max_workers) +
           static_cast<size_t>(*options_.max_spares);
  }
  size_t places() const {
    return places_.load(std::memory_order_acquire);  // [PLACE]
  }
  Worker& place(size_t i) const { return *workers_[i]; }

  bool EnsureOneThread();
  bool StartThread(std::exception_ptr& error);
  bool StartCounted(std::exception_ptr& error)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(start_lock_);
  void KeepThreadOf(Worker& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(start_lock_);
  Worker* TakePlace() ABSL_EXCLUSIVE_LOCKS_REQUIRED(start_lock_);
  void NoteStarts(bool owed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(start_lock_);
  void Gone(Roster::Counts left) ABSL_EXCLUSIVE_LOCKS_REQUIRED(start_lock_);
  void Called(Roster::Call call);

  static InjectionQueue::Source SourceOf(const Worker* worker) {
    return worker == nullptr ? InjectionQueue::Source::kOutside
                             : InjectionQueue::Source::kOwnTask;
  }
  bool AcceptsFrom(const Worker* worker) const;
  bool ScheduleFromTask(Worker& worker, Task& task);
  void GiveRoom(size_t tasks);

  void Work(Worker& worker);
  void WorkToEnd(Worker& worker);
  bool Begin(Worker& worker);
  bool Initialize();
  Task Next(Worker& worker, bool& retired);
  bool HasToStay(bool needed, bool all_asleep);
  bool TryRetire(Worker& worker);
  void ForgiveStart();
  Task TryNext(Worker& worker);
  Task TakeOwn(Worker& worker);
  Task TakeBatch(Worker& worker, size_t most);
  Task TakeLate(Worker& worker, int64_t now, uint64_t older_than);
  Task TakeStuck(Worker& worker);
  Task TakeOthers(Worker& worker);
  bool LookBriefly() const;
  void StopSearching(Worker& worker);
  void Run(Worker& worker, Task task);
  void End(Worker& worker);

  bool HasWork();
  bool HasWorkForOneMore();
  bool DequesHaveWork() const;
  size_t Queued() const;
  size_t Forks() const;
  std::string NameOf(const Worker& worker) const;

  template <typename Call>
  void Observe(Call call) {
    if (options_.observer == nullptr) return;
    internal::CallReporting([&] { call(*options_.observer); });
  }
  class AtObserver;
  template <typename Call>
  void ObserveIn(Worker& worker, Call call);
  void NoteWait(Worker& worker);
  void TellOfWaits(Worker& worker);
  bool TellOfWaitsOf(Worker& other, Worker& worker);
  void CheckWhetherStuck(Worker& worker);
  std::string StuckReport(Roster::Counts counts);

  internal::Atomic<int> references_{1};  // see Ref()
  const uint64_t number_ = NextPoolNumber();
  const uint32_t forks_ = internal::ThreadRegistry::Forks();
  Options options_;
  Roster roster_;
  InjectionQueue injection_{number_};
  std::optional<Semaphore> room_;  // of a bounded pool: for how many more
  internal::Atomic<int64_t> over_bound_{0};  // queued without a unit of room_
  internal::Atomic<Phase> phase_{Phase::kOpen};  // (W2), (W6)
  internal::Atomic<bool> broken_{false};
  internal::Atomic<int> batches_{0};       // workers with more than one; a hint
  internal::Atomic<size_t> beginning_{0};  // (W7)
  internal::Atomic<uint64_t> dropped_{0};
  internal::Atomic<uint64_t> wake_ups_{0};
  internal::Atomic<bool> untold_{false};  // see TellOfWaits()
  internal::Atomic<bool> said_stuck_{false};
  Event all_ended_;

  // The places that have been used; they stay as long as the pool.
  //   [PLACE] release of places_ in TakePlace() -> acquire in places(): the
  //           worker before its place is looked at.
  std::unique_ptr<std::unique_ptr<Worker>[]> workers_;
  internal::Atomic<size_t> places_{0};
  Lock start_lock_;
  int live_ ABSL_GUARDED_BY(start_lock_) = 0;  // threads that are there (W1)
  // There is one, and the last start did not fail. Written under start_lock_.
  internal::Atomic<bool> well_staffed_{false};
  std::vector<Worker*> free_ ABSL_GUARDED_BY(start_lock_);  // (W3)
  std::vector<Thread> left_ ABSL_GUARDED_BY(start_lock_);   // (W3)

  // The workers are no daemons: the end of the program waits for them, and this
  // tells them to end. It goes first: it waits for the hook if that runs.
  internal::ExitHook exit_hook_{
      [](void* core) { static_cast<Core*>(core)->CloseWithProgram(); }, this};
};

void WorkerPool::Worker::Blocked() noexcept {
  if (blocked_depth++ > 0 || core_.IsParents()) return;
  const PoolsOwnWaits own;
  check_nanos = kFirstCheckNanos;
  done_at_check = kNoCheck;
  core_.NoteWait(*this);
  if (begins) core_.beginning_.fetch_sub(1, std::memory_order_seq_cst);
  core_.roster_.Blocked();
  if (core_.HasWork()) core_.CallForWork();  // (R3)
}

void WorkerPool::Worker::Unblocked() noexcept {
  if (--blocked_depth > 0 || core_.IsParents()) return;
  const PoolsOwnWaits own;
  core_.roster_.Unblocked();
  if (begins) core_.beginning_.fetch_add(1, std::memory_order_seq_cst);
  core_.NoteWait(*this);
}

WorkerPool::Core::Core(const Options& options)
    : options_(options),
      roster_(
          static_cast<uint32_t>(options.max_workers),
          static_cast<uint32_t>(options.max_workers + *options.max_spares)) {
  if (options_.name_prefix.empty())
    options_.name_prefix = absl::StrCat("WorkerPool-", NextNameNumber());
  if (options_.max_queued > 0)
    room_.emplace(static_cast<int64_t>(options_.max_queued));
  workers_ = std::make_unique<std::unique_ptr<Worker>[]>(max_threads());
}

// (W5). Where no thread can be had, the next call is later and later, but not
// much later than a second.
int64_t WorkerPool::Worker::StillBlocked() noexcept {
  if (core_.IsParents()) return kNever;
  const PoolsOwnWaits own;
  if (core_.HasWork()) {
    core_.CallForWork();
    core_.CheckWhetherStuck(*this);
  }
  check_nanos = std::min(10 * check_nanos, kMostCheckNanos);
  return check_nanos;
}

// --- Threads ----------------------------------------------------------------

std::string WorkerPool::Core::NameOf(const Worker& worker) const {
  return absl::StrCat(options_.name_prefix, "_", worker.number);
}

// A place for one more thread; null if all are taken, or still being left.
WorkerPool::Worker* WorkerPool::Core::TakePlace() {
  if (!free_.empty()) {
    Worker* const worker = free_.back();
    free_.pop_back();
    return worker;
  }
  const size_t i = places();
  if (i == max_threads()) return nullptr;
  free_.reserve(i + 1);  // nothing may fail when a thread ends
  workers_[i] = std::make_unique<Worker>(*this, static_cast<int>(i));
  places_.store(i + 1, std::memory_order_release);  // [PLACE]
  return workers_[i].get();
}

// Starts the thread of a worker that the roster has counted. If not, it is not
// counted any more, and `error` says why; or is null, where the pool has ended.
bool WorkerPool::Core::StartThread(std::exception_ptr& error) {
  const PoolsOwnWaits own;
  LockGuard guard(start_lock_);
  return StartCounted(error);
}

bool WorkerPool::Core::StartCounted(std::exception_ptr& error) {
  Worker* worker = nullptr;
  bool started = false;
  error = internal::CatchAll([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    // Work that was there when this thread was called for may have been done
    // since, and the pool have ended (W1).
    if (all_ended_.IsSet()) return;
    worker = TakePlace();
    if (worker == nullptr) return;
    worker->searching = true;
    KeepThreadOf(*worker);
    Thread thread(
        {.name = NameOf(*worker), .daemon = false},
        [core = RefPtr<Core>(this), place = worker] { core->Work(*place); });
    thread.Start();
    worker->thread = std::move(thread);
    started = true;
  });
  if (started) {
    ++live_;
    NoteStarts(/*owed=*/false);
    return true;
  }
  if (worker != nullptr) free_.push_back(worker);
  NoteStarts(/*owed=*/true);
  Gone(roster_.Ended(/*searching=*/true));
  return false;
}

// Moves the thread that has left the place to those that Join() is to find, and
// frees what the system keeps of those of them that have ended: all but a few.
void WorkerPool::Core::KeepThreadOf(Worker& worker) {
  if (!worker.thread.has_value()) return;
  left_.push_back(*std::move(worker.thread));
  worker.thread.reset();
  std::erase_if(left_, [self = internal::CurrentIdent()](Thread& thread) {
    return thread.ident() != self && !thread.IsAlive() &&
           thread.Join(absl::ZeroDuration());
  });
}

// A thread is no more, or could not be had, and those are left.
void WorkerPool::Core::Gone(Roster::Counts left) {
  if (left.threads == 0) {
    if (IsClosed()) all_ended_.Set();
  } else if (left.threads == left.sleeping &&
             phase_.load(std::memory_order_seq_cst) == Phase::kDraining) {
    roster_.CallAll();  // (W2)
  }
}

// A start that has failed is owed: each Schedule() calls once more, until one
// succeeds or a worker has found that there is nothing left to do.
void WorkerPool::Core::NoteStarts(bool owed) {
  well_staffed_.store(live_ > 0 && !owed, std::memory_order_release);
}

// True if there is a thread; false if the pool is closed. Throws if the first
// cannot be had.
bool WorkerPool::Core::EnsureOneThread() {
  if (IsParents()) return false;
  if (well_staffed_.load(std::memory_order_acquire)) return true;
  const PoolsOwnWaits own;
  LockGuard guard(start_lock_);
  // Who starts the first one holds the lock meanwhile, so nobody counts on a
  // thread that is not there yet (W1).
  if (live_ > 0) return true;
  if (IsClosed() || !roster_.AddThread(roster_.max_active())) return false;
  std::exception_ptr error;
  if (StartCounted(error)) return true;
  if (error != nullptr) internal::Rethrow(std::move(error));
  return false;
}

std::exception_ptr WorkerPool::Core::StartAll() {
  std::exception_ptr error;
  while (!IsClosed() && roster_.AddThread(roster_.max_active()) &&
         StartThread(error)) {
  }
  // Where an initializer has broken the pool meanwhile, no thread is missing.
  return IsClosed() ? nullptr : error;
}

// Somebody has been called: if that is a thread, starts it. Where none can be
// had, those there are must do; but who has fallen asleep meanwhile may have
// counted on it.
void WorkerPool::Core::Called(Roster::Call call) {
  while (call == Roster::Call::kStart) {
    std::exception_ptr error;
    if (StartThread(error) || roster_.counts().sleeping == 0) return;
    call = roster_.CallOne();
  }
  if (call == Roster::Call::kWoken)
    wake_ups_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
}

// --- Tasks come -------------------------------------------------------------

bool WorkerPool::Core::Schedule(Task& task, const WaitLimit& limit) {
  Worker* const worker = Here();
  if (worker != nullptr && options_.order == Order::kNewestFirst)
    return ScheduleFromTask(*worker, task);
  if (!EnsureOneThread()) return false;  // (W1)
  if (room_.has_value() && !room_->TryAcquire()) {
    if (worker != nullptr) {
      over_bound_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
    } else if (IsClosed() || options_.when_full == WhenFull::kRefuse) {
      return false;
    } else if (options_.when_full == WhenFull::kRunInCaller) {
      static_cast<void>(std::move(task).Run());
      return true;
    } else if (!room_->Acquire(limit)) {
      return false;
    }
  }
  const PoolsOwnWaits own;  // but not the one for room, of whatever pool's task
  // Refused, it leaves its room to the next, who is refused too.
  struct GiveRoomUnlessAccepted {
    ~GiveRoomUnlessAccepted() {
      // Its own unit, whatever others have queued over the bound.
      if (!accepted && core.room_.has_value()) core.room_->Release(1);
    }
    Core& core;
    bool accepted = false;
  } room{*this};
  const bool owed = !well_staffed_.load(std::memory_order_acquire);
  RefPtr<Core> keeper;  // (W4)
  if (owed) keeper = RefPtr<Core>(this);
  const InjectionQueue::Outcome outcome = injection_.Push(
      task, SourceOf(worker), [&] { keeper = RefPtr<Core>(this); });
  room.accepted = outcome != InjectionQueue::Outcome::kClosed;
  if (outcome == InjectionQueue::Outcome::kFirst || (owed && room.accepted))
    CallForWork();  // (R3), (W5)
  return room.accepted;
}

bool WorkerPool::Core::ScheduleMany(TaskQueue& tasks) {
  if (tasks.empty()) return AcceptsFrom(Here());
  const PoolsOwnWaits own;
  if (!EnsureOneThread()) return false;  // (W1)
  const InjectionQueue::Source source = SourceOf(Here());
  const auto count = static_cast<int64_t>(tasks.size());
  if (room_.has_value())
    over_bound_.fetch_add(count, std::memory_order_relaxed);  // as above
  struct UncountUnlessAccepted {
    ~UncountUnlessAccepted() {
      if (!accepted && core.room_.has_value())
        core.over_bound_.fetch_sub(count, std::memory_order_relaxed);
    }
    Core& core;
    const int64_t count;
    bool accepted = false;
  } bound{*this, count};
  const bool owed = !well_staffed_.load(std::memory_order_acquire);
  RefPtr<Core> keeper;  // (W4)
  if (owed) keeper = RefPtr<Core>(this);
  const InjectionQueue::Outcome outcome =
      injection_.PushMany(tasks, source, [&] { keeper = RefPtr<Core>(this); });
  bound.accepted = outcome != InjectionQueue::Outcome::kClosed;
  if (!bound.accepted) return false;
  // More than the first come by themselves: each calls the next (R3).
  if (outcome == InjectionQueue::Outcome::kFirst || owed) CallForWork();
  return true;
}

bool WorkerPool::Core::AcceptsFrom(const Worker* worker) const {
  const Phase phase = phase_.load(std::memory_order_seq_cst);
  return phase == Phase::kOpen ||
         (phase == Phase::kDraining && worker != nullptr);
}

bool WorkerPool::Core::ScheduleFromTask(Worker& worker, Task& task) {
  if (!AcceptsFrom(&worker)) return false;
  const PoolsOwnWaits own;
  pool_internal::WorkerCounters& counters = worker.counters;
  task.set_pool(number_);
  if (counters.submitted.value() % InjectionQueue::kTimedOneIn == 0)
    task.set_queued_at(internal::Clock::Now());
  Task::Node* const node = std::move(task).Release();
  std::exception_ptr error =
      internal::CatchAll([&] { worker.tasks.Push(node); });
  if (error != nullptr) {
    task = Task(node);
    internal::Rethrow(std::move(error));
  }
  if (!AcceptsFrom(&worker)) {  // (W6)
    // Nobody else pushes here, so what is popped is this task, unless it has
    // been taken: run by another worker, or dropped and counted.
    if (Task::Node* const mine = worker.tasks.Pop()) {
      task = Task(mine);
      return false;
    }
  }
  counters.submitted.Add(1);
  CallForWork();  // (R3)
  return true;
}

// Tasks have left the injection queue.
void WorkerPool::Core::GiveRoom(size_t tasks) {
  if (!room_.has_value()) return;
  auto units = static_cast<int64_t>(tasks);
  // relaxed: a count.
  int64_t over = over_bound_.load(std::memory_order_relaxed);
  while (over > 0 && units > 0) {
    const int64_t gone = std::min(over, units);
    if (over_bound_.compare_exchange_weak(over, over - gone,
                                          std::memory_order_relaxed)) {
      units -= gone;
      over -= gone;
    }
  }
  if (units > 0) room_->Release(units);
}

// --- A worker's life --------------------------------------------------------

// Where a worker has no duty to anybody: it may wait there as in a task, and is
// replaced if it does; but the observer is not told of that.
class WorkerPool::Core::AtObserver {
 public:
  explicit AtObserver(Worker& worker)
      : worker_(worker),
        was_there_(std::exchange(worker.in_observer, true)),
        listener_(
            std::exchange(internal::ThisThread().block_listener, &worker)) {}
  AtObserver(const AtObserver&) = delete;
  AtObserver& operator=(const AtObserver&) = delete;
  ~AtObserver() {
    internal::ThisThread().block_listener = listener_;
    worker_.in_observer = was_there_;
  }

 private:
  Worker& worker_;
  const bool was_there_;
  internal::BlockListener* const listener_;
};

void WorkerPool::Core::Work(Worker& worker) {
  // A thread that goes in another way than by returning would be waited for
  // without end, and so would all that is queued.
  pthread_cleanup_push(
      [](void*) {
        internal::Fatal(
            "a worker of a pool was ended by pthread_exit() or "
            "pthread_cancel(), in a task, an initializer or an observer");
      },
      nullptr);
  WorkToEnd(worker);
  pthread_cleanup_pop(/*execute=*/0);
}

void WorkerPool::Core::WorkToEnd(Worker& worker) {
  internal::PerThread& thread = internal::ThisThread();
  thread.pool = number_;
  thread.worker = &worker;
  const int number = worker.number;
  bool retired = false;  // then the place may be another's already
  if (Begin(worker)) {
    while (Task task = Next(worker, retired)) Run(worker, std::move(task));
  }
  thread.worker = nullptr;
  if (IsParents()) return;  // a task has forked, and has returned in the child
  Observe([&](Observer& observer) { observer.OnWorkerEnd(number); });
  if (!retired) End(worker);
}

// What a user has each worker do first, which may take long and wait, also for
// other workers. So it does not count as searching there, but as one that comes
// for one task, as long as it is not blocked: (W7). False: the pool is broken.
bool WorkerPool::Core::Begin(Worker& worker) {
  if (options_.observer == nullptr && !options_.initializer) return true;
  worker.begins = true;
  beginning_.fetch_add(1, std::memory_order_seq_cst);
  StopSearching(worker);
  bool ok;
  {
    const AtObserver may_wait(worker);
    Observe([&](Observer& observer) { observer.OnWorkerStart(worker.number); });
    ok = Initialize();
  }
  worker.searching = roster_.TrySearch();
  worker.begins = false;
  beginning_.fetch_sub(1, std::memory_order_seq_cst);
  return ok;
}

// False if the initializer threw: then the pool is broken.
bool WorkerPool::Core::Initialize() {
  if (!options_.initializer) return true;
  std::exception_ptr error =
      internal::CatchAll([this] { std::as_const(options_.initializer)(); });
  if (error == nullptr) return true;
  broken_.store(true, std::memory_order_release);  // before it is closed
  Close(Phase::kEnding);
  std::exception_ptr why;
  std::exception_ptr no_memory = internal::CatchAll([&why] {
    why = internal::MakeExceptionPtr(
        BrokenPool("WorkerPool: the initializer of a worker threw; the pool "
                   "cannot be used any more"));
  });
  DropQueued(no_memory == nullptr ? std::move(why) : std::move(no_memory));
  // Now, for the hook may wait for what was queued.
  internal::ReportException(std::move(error));
  return false;
}

void WorkerPool::Core::End(Worker& worker) {
  const bool searching = worker.searching;
  LockGuard guard(start_lock_);
  free_.push_back(&worker);  // (W3); there is room: see TakePlace()
  NoteStarts(/*owed=*/--live_ == 0);
  Gone(roster_.Ended(searching));
}

// There is nothing to do, so there is no need of the thread that was not to be
// had. Work that comes from now on is called for by who brings it.
void WorkerPool::Core::ForgiveStart() {
  if (well_staffed_.load(std::memory_order_relaxed)) return;  // a hint
  LockGuard guard(start_lock_);
  NoteStarts(/*owed=*/false);
}

// Leaves the place and the count in one step for who wants to start a thread,
// unless there is work after all.
bool WorkerPool::Core::TryRetire(Worker& worker) {
  LockGuard guard(start_lock_);
  bool needed = false;
  // Not the last that is there, whatever is being started (W1).
  if (live_ == 1 || !roster_.TryRetire(worker.searching, needed)) return false;
  if (needed && HasWork()) {  // (R4)
    roster_.StayAfterAll();
    worker.searching = true;
    return false;
  }
  free_.push_back(&worker);  // (W3)
  --live_;
  Gone(roster_.counts());
  return true;
}

// Waits for the next task; none: the worker is to end.
Task WorkerPool::Core::Next(Worker& worker, bool& retired) {
  bool told = false;
  for (bool idle = false;;) {
    if (IsParents()) return Task();
    const bool ending =
        phase_.load(std::memory_order_seq_cst) == Phase::kEnding;  // (W2)
    const bool crowded = roster_.IsCrowded();
    if (!crowded) {
      if (Task task = TryNext(worker)) {
        StopSearching(worker);
        return task;
      }
      if (ending) return Task();
    }
    if ((crowded ? ending : idle) && TryRetire(worker)) {
      retired = true;
      return Task();
    }
    if (!crowded) {
      ForgiveStart();
      if (!worker.searching) worker.searching = roster_.TrySearch();
      if (worker.searching && LookBriefly()) continue;
    }
    // relaxed: a hint; see TellOfWaits().
    if (!told && untold_.load(std::memory_order_relaxed)) {
      told = true;
      StopSearching(worker);
      TellOfWaits(worker);
      continue;
    }
    told = false;
    worker.counters.parks.Add(1);
    const bool searching = std::exchange(worker.searching, true);
    const Roster::Waking waking = roster_.Sleep(
        searching, options_.idle_time, [this](bool needed, bool all_asleep) {
          return HasToStay(needed, all_asleep);
        });
    idle = waking == Roster::Waking::kIdle;
  }
}

// Whether a worker that has been counted asleep is not to sleep.
bool WorkerPool::Core::HasToStay(bool needed, bool all_asleep) {
  const Phase phase = phase_.load(std::memory_order_seq_cst);  // (W2)
  if (phase == Phase::kEnding || (needed && HasWork())) return true;
  if (phase == Phase::kOpen || !all_asleep) return false;
  Close(Phase::kEnding);  // (W2)
  return true;
}

// Where a worker looks, and in which order.
Task WorkerPool::Core::TryNext(Worker& worker) {
  if (Task task = TakeOwn(worker)) return task;
  if (worker.has_batch) {
    worker.has_batch = false;
    batches_.fetch_sub(1, std::memory_order_relaxed);
  }
  worker.ticks = pool_internal::Ticks();
  // What others hold back is older than what is in the queue.
  if (Task task = TakeLate(worker, worker.ticks, UINT64_MAX)) return task;
  if (Task task = TakeStuck(worker)) return task;
  if (injection_.fetched() == 0) {  // a fetch is due
    internal::SpinPauses(worker.patience.pauses());
    worker.patience.Found(injection_.size());
  }
  const size_t share =
      room_.has_value() ? 1 : injection_.Share(roster_.max_active());
  if (share == 1) {
    if (Task task = TakeBatch(worker, 1)) return task;
  } else {
    if (Task task = TakeBatch(worker, std::min(share, worker.pace.Next())))
      return task;
  }
  return TakeOthers(worker);
}

Task WorkerPool::Core::TakeOwn(Worker& worker) {
  WorkDeque<Task::Node>& tasks = worker.tasks;
  // relaxed: our own store.
  const int64_t batch_end = worker.batch_end.load(std::memory_order_relaxed);
  // What its tasks schedule goes first, but not for ever.
  if (tasks.bottom() > batch_end) {
    if (++worker.looks % kLooksBetweenOthers != 0) {
      if (Task::Node* const node = tasks.Pop()) return Task(node);
    } else if (tasks.top() >= batch_end) {
      if (Task task = TakeBatch(worker, 1)) return task;
    }
  }
  // If this batch is late, so may be an older one.
  if (worker.has_batch && worker.IsBatchLate(worker.ticks)) {
    const uint64_t number = worker.batch_number.load(std::memory_order_relaxed);
    if (Task task = TakeLate(worker, worker.ticks, number)) return task;
  }
  return Task(tasks.Steal());
}

// Up to `most` tasks of the injection queue: the first, the rest to the own
// deque. Just one if that is not empty.
Task WorkerPool::Core::TakeBatch(Worker& worker, size_t most) {
  size_t taken = 1;
  Task::Node* const first = injection_.Take(
      most, [&](Task::Node* const* rest, size_t count, uint64_t number) {
        // relaxed, all: hints.
        worker.batch_ticks.store(worker.ticks, std::memory_order_relaxed);
        worker.batch_number.store(number, std::memory_order_relaxed);
        worker.batch_end.store(
            worker.tasks.bottom() + static_cast<int64_t>(count),
            std::memory_order_relaxed);
        worker.tasks.PushBatch(rest, count);  // (W6)
        taken += count;
      });
  if (first == nullptr) return Task();
  GiveRoom(taken);
  if (taken > 1) {
    worker.has_batch = true;
    batches_.fetch_add(1, std::memory_order_relaxed);
    CallForWork();  // (R3)
  }
  return Task(first);
}

// The oldest task of the oldest of the others' batches that are late, and older
// than that: their workers are busy with something long, or blocked.
Task WorkerPool::Core::TakeLate(Worker& worker, int64_t now,
                                uint64_t older_than) {
  const int own = worker.has_batch ? 1 : 0;
  if (batches_.load(std::memory_order_relaxed) <= own) return Task();
  Worker* oldest = nullptr;
  for (size_t i = 0; i < places(); ++i) {
    Worker& other = place(i);
    if (&other == &worker || !other.HasBatchLeft() || !other.IsBatchLate(now))
      continue;
    const uint64_t number = other.batch_number.load(std::memory_order_relaxed);
    if (number >= older_than) continue;
    older_than = number;
    oldest = &other;
  }
  if (oldest == nullptr) return Task();
  Task task(oldest->tasks.Steal());
  if (task) worker.counters.steals.Add(1);
  return task;
}

// Looks at one other worker, and takes its oldest task if it is the one that
// was the oldest the last time: it will not come to its turn soon.
Task WorkerPool::Core::TakeStuck(Worker& worker) {
  Worker& watched = place(worker.watched % places());
  const int64_t top = watched.tasks.top();
  if (&watched != &worker && watched.tasks.Size() > 0) {
    if (top == worker.watched_top) {
      worker.watched_top = -1;
      worker.counters.steals.Add(1);
      return Task(watched.tasks.Steal());
    }
    worker.watched_top = top;
    return Task();
  }
  ++worker.watched;
  worker.watched_top = -1;
  return Task();
}

Task WorkerPool::Core::TakeOthers(Worker& worker) {
  const size_t count = places();
  for (WorkDeque<Task::Node> Worker::*deque :
       {&Worker::forks, &Worker::tasks}) {
    for (size_t i = 0; i < count; ++i) {
      Worker& victim = place((worker.victim + i) % count);
      if (&victim == &worker) continue;
      if (Task::Node* const node = (victim.*deque).Steal()) {
        worker.victim = (worker.victim + i) % count;
        worker.counters.steals.Add(1);
        if (deque == &Worker::forks) worker.counters.submitted.Add(1);
        return Task(node);
      }
    }
  }
  return Task();
}

bool WorkerPool::Core::LookBriefly() const {
  {
    const internal::SpinTurn turn;
    for (int i = 0; turn && i < kSearchRounds; ++i) {
      if (SeemsToHaveWork()) return true;
      internal::SpinPause();
    }
  }
  return SeemsToHaveWork();
}

void WorkerPool::Core::StopSearching(Worker& worker) {
  if (!worker.searching) return;
  worker.searching = false;
  if (roster_.StopSearching() && HasWorkForOneMore()) CallForWork();  // (R3)
}

// Whether there is more work than workers that come for it: (W7).
bool WorkerPool::Core::HasWorkForOneMore() {
  const size_t coming = beginning_.load(std::memory_order_seq_cst);
  if (coming == 0) return HasWork();
  injection_.FetchAll();
  if (roster_.counts().sleeping > 0) return HasWork();
  return Queued() + Forks() > coming;
}

void WorkerPool::Core::Run(Worker& worker, Task task) {
  internal::PerThread& thread = internal::ThisThread();
  const int64_t queued_at = task.queued_at();
  int64_t begun_at = 0;
  if (queued_at != 0) {
    begun_at = internal::Clock::Now();
    worker.counters.waits.Add(begun_at - queued_at);
  }
  ObserveIn(worker,
            [&](Observer& observer) { observer.OnTaskStart(worker.number); });
  worker.at_task.store(true, std::memory_order_relaxed);
  thread.block_listener = &worker;
  const bool ok = std::move(task).Run();
  thread.block_listener = nullptr;
  worker.at_task.store(false, std::memory_order_relaxed);
  const int64_t ticks = pool_internal::Ticks();
  worker.pace.Took(ticks - std::exchange(worker.ticks, ticks));
  TellOfWaits(worker);
  ObserveIn(worker, [&](Observer& observer) {
    observer.OnTaskEnd(worker.number, !ok);
  });
  if (queued_at != 0)
    worker.counters.runs.Add(internal::Clock::Now() - begun_at);
  worker.counters.done.Add(1);
  if (!ok) worker.counters.failed.Add(1);
}

// --- Observers --------------------------------------------------------------

template <typename Call>
void WorkerPool::Core::ObserveIn(Worker& worker, Call call) {
  if (options_.observer == nullptr) return;
  const AtObserver at_observer(worker);
  Observe(call);
}

// A wait of this worker's has become long, or is over. The observer cannot be
// called here: the wait is not over, or what it was for, such as a lock, is this
// thread's already. So it is only counted.
void WorkerPool::Core::NoteWait(Worker& worker) {
  if (options_.observer == nullptr || worker.in_observer) return;
  worker.wait_changes.fetch_add(1, std::memory_order_release);
  // An exchange, for who takes it is to see the changes of all who have set it.
  untold_.exchange(true, std::memory_order_acq_rel);
}

// Tells the observer what has been counted: what this worker has, and what others
// have of which nobody else is telling it. Each worker does this after a task,
// and before it sleeps: so all of a worker's own is told before its task's end.
void WorkerPool::Core::TellOfWaits(Worker& worker) {
  if (options_.observer == nullptr) return;
  const AtObserver at_observer(worker);
  {
    LockGuard guard(worker.tell_lock);
    while (TellOfWaitsOf(worker, worker)) {
    }
  }
  if (!untold_.exchange(false, std::memory_order_acq_rel)) return;
  for (size_t i = 0; i < places(); ++i) {
    Worker& other = place(i);
    if (!other.tell_lock.try_lock()) {
      untold_.exchange(true, std::memory_order_acq_rel);  // for who comes later
      continue;
    }
    while (TellOfWaitsOf(other, worker)) {
    }
    other.tell_lock.unlock();
  }
}

// The next thing to be told of `other`, by `worker`, which has its tell_lock;
// false if there is none.
bool WorkerPool::Core::TellOfWaitsOf(Worker& other, Worker& worker) {
  // relaxed: changed under the lock that we have.
  const uint32_t told = other.wait_changes_told.load(std::memory_order_relaxed);
  if (told == other.wait_changes.load(std::memory_order_acquire)) return false;
  other.wait_changes_told.store(told + 1, std::memory_order_relaxed);
  ObserveIn(worker, [&](Observer& observer) {
    told % 2 == 0 ? observer.OnBlocked(other.number)
                  : observer.OnUnblocked(other.number);
  });
  return true;
}

// --- Stuck ------------------------------------------------------------------

// Work is queued, and this worker is blocked yet. If all are, and were at the
// last check, and nothing has been done since, that is said, once.
void WorkerPool::Core::CheckWhetherStuck(Worker& worker) {
  const Roster::Counts counts = roster_.counts();
  if (counts.active > 0 || counts.sleeping > 0) return;
  uint64_t done = 0;
  for (size_t i = 0; i < places(); ++i) done += place(i).counters.done.value();
  if (std::exchange(worker.done_at_check, done) != done) return;
  if (worker.check_nanos < kMostCheckNanos ||
      said_stuck_.exchange(true, std::memory_order_relaxed)) {
    return;
  }
  // Where there is no memory to say it, it is not said.
  static_cast<void>(internal::CatchAll([&] {
    const std::string report = StuckReport(counts);
    std::fwrite(report.data(), 1, report.size(), stderr);
  }));
}

std::string WorkerPool::Core::StuckReport(Roster::Counts counts) {
  std::string threads;
  constexpr size_t kMostNames = 8;
  for (size_t i = 0; i < std::min(places(), kMostNames); ++i)
    absl::StrAppend(&threads, i > 0 ? ", " : "",
                    internal::OneLine(NameOf(place(i))));
  if (places() > kMostNames) absl::StrAppend(&threads, ", ...");
  return absl::StrCat(
      "heddle: WorkerPool ", internal::OneLine(options_.name_prefix),
      ": all of its ", counts.threads, " threads (", threads, ") wait, ",
      Queued(), " tasks are queued behind them, and ",
      counts.threads < max_threads()
          ? "the system refuses another thread"
          : absl::StrCat("no spare is left (max_workers ", options_.max_workers,
                         ", max_spares ", *options_.max_spares, ")"),
      "; they go on only if another thread ends a wait\n");
}

// Whether there is work that nobody has taken. Injection before deques: work
// moves in that direction.
bool WorkerPool::Core::HasWork() {
  return injection_.HasTasks() || DequesHaveWork();
}

bool WorkerPool::Core::SeemsToHaveWork() const {
  return injection_.size() > 0 || DequesHaveWork();
}

bool WorkerPool::Core::DequesHaveWork() const {
  for (size_t i = 0; i < places(); ++i) {
    if (place(i).tasks.Size() > 0 || place(i).forks.Size() > 0) return true;
  }
  return false;
}

// How many tasks have been accepted and not begun; advisory.
size_t WorkerPool::Core::Queued() const {
  size_t queued = injection_.size();
  for (size_t i = 0; i < places(); ++i) queued += place(i).tasks.Size();
  return queued;
}

// How many forks nobody has taken; advisory.
size_t WorkerPool::Core::Forks() const {
  size_t forks = 0;
  for (size_t i = 0; i < places(); ++i) forks += place(i).forks.Size();
  return forks;
}

// --- The end ----------------------------------------------------------------

void WorkerPool::Core::Close(Phase phase) {
  if (IsParents()) return;
  const PoolsOwnWaits own;
  injection_.Close(phase == Phase::kEnding  // (W2)
                       ? InjectionQueue::Source::kOwnTask
                       : InjectionQueue::Source::kOutside);
  {
    LockGuard guard(start_lock_);
    // relaxed: it is only written here.
    if (phase > phase_.load(std::memory_order_relaxed))
      phase_.store(phase, std::memory_order_seq_cst);  // (W2), (W6)
    if (roster_.counts().threads == 0) all_ended_.Set();
  }
  roster_.CallAll();
  // The first of those who wait for room is refused, and lets the next go.
  if (room_.has_value()) room_->Release(1);
}

// The program ends, in this thread. If that is a worker, nobody waits for it,
// and it comes to no end: it is counted out, and the others end as if it had
// ended. What is queued behind the last can be run by nobody.
void WorkerPool::Core::CloseWithProgram() {
  Close(Phase::kDraining);
  Worker* const worker = Here();
  if (worker == nullptr) return;
  internal::PerThread& thread = internal::ThisThread();
  thread.worker = nullptr;
  thread.block_listener = nullptr;
  bool last = false;
  {
    LockGuard guard(start_lock_);
    if (worker->blocked_depth > 0) {
      roster_.Unblocked();
    } else if (worker->begins) {
      beginning_.fetch_sub(1, std::memory_order_seq_cst);
    }
    last = --live_ == 0;
    NoteStarts(/*owed=*/last);
    Gone(roster_.Ended(worker->searching));
  }
  if (last) DropQueued(nullptr);
}

// Drops what is queued, with `why` or as cancelled; returns how many.
size_t WorkerPool::Core::DropQueued(const std::exception_ptr& why) {
  if (IsParents()) return 0;
  TaskQueue dropped;
  {
    const PoolsOwnWaits own;
    injection_.TakeAll(dropped);
    GiveRoom(dropped.size());
    for (size_t i = 0; i < places(); ++i) {
      while (Task::Node* const node = place(i).tasks.Steal())
        dropped.Push(Task(node));
    }
  }
  const size_t count = dropped.size();
  dropped_.fetch_add(count, std::memory_order_relaxed);  // relaxed: a count
  while (Task task = dropped.Pop()) std::move(task).Drop(why);
  return count;
}

// Locks nothing: no thread starts any more (W1), so none of this changes; and
// one that it waits for may yet ask its pool for something.
bool WorkerPool::Core::Join(const WaitLimit& limit)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (IsParents()) return true;
  const WaitLimit started = limit.Started();
  if (!all_ended_.Wait(started)) return false;
  for (size_t i = 0; i < places(); ++i) {
    std::optional<Thread>& thread = place(i).thread;
    if (thread.has_value() && !thread->Join(started)) return false;
  }
  return std::all_of(left_.begin(), left_.end(),
                     [&](Thread& thread) { return thread.Join(started); });
}

WorkerPool::ShutdownReport WorkerPool::Core::Report(size_t dropped) {
  ShutdownReport report;
  report.dropped = dropped;
  report.queued = Queued();
  // A shutdown needs no memory to be one.
  static_cast<void>(internal::CatchAll([&] {
    for (size_t i = 0; i < places(); ++i) {
      // relaxed: advisory.
      if (place(i).at_task.load(std::memory_order_relaxed))
        report.running.push_back(NameOf(place(i)));
    }
  }));
  return report;
}

PoolStats WorkerPool::Core::Stats() {
  PoolStats stats;
  const Roster::Counts counts = roster_.counts();
  stats.running = counts.active;
  stats.idle = counts.sleeping;
  stats.blocked = counts.threads - counts.active - counts.sleeping;
  stats.spare = std::max(0, counts.threads - options_.max_workers);
  stats.submitted = injection_.pushed();
  stats.queued = Queued();
  stats.dropped = dropped_.load(std::memory_order_relaxed);
  stats.wake_ups = wake_ups_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < places(); ++i) {
    const pool_internal::WorkerCounters& counters = place(i).counters;
    stats.submitted += counters.submitted.value();
    stats.done += counters.done.value();
    stats.failed += counters.failed.value();
    stats.steals += counters.steals.value();
    stats.parks += counters.parks.value();
    stats.waits.Add(counters.waits);
    stats.runs.Add(counters.runs);
  }
  return stats;
}

// --- WorkerPool -------------------------------------------------------------

WorkerPool::WorkerPool(const Options& options) {
  const Options complete = Checked(options);
  core_ = RefPtr<Core>::Adopt(new Core(complete));
  if (!core_->CloseAtExit()) {
    core_->Close(Core::Phase::kEnding);
    return;
  }
  if (complete.start == StartPolicy::kOnDemand) return;
  if (std::exception_ptr error = core_->StartAll(); error != nullptr) {
    core_->Close(Core::Phase::kEnding);  // those that did start go again
    core_->Join(WaitLimit());
    internal::Rethrow(std::move(error));
  }
}

WorkerPool::WorkerPool(int max_workers) : WorkerPool(OptionsFor(max_workers)) {}

WorkerPool::~WorkerPool() {
  core_->Close(Core::Phase::kDraining);
  // In a worker of its own the core lives on until the last worker has ended.
  if (!core_->IsWorkerHere()) core_->Join(WaitLimit());
}

bool WorkerPool::Schedule(Task& task, const WaitLimit& limit) {
  return core_->Schedule(task, limit);
}

bool WorkerPool::ScheduleMany(TaskQueue& tasks) {
  return core_->ScheduleMany(tasks);
}

WorkerPool::ShutdownReport WorkerPool::Shutdown(ShutdownMode mode,
                                                const WaitLimit& limit) {
  // What is dropped, and what is run, may own this pool.
  const RefPtr<Core> core = core_;
  const WaitLimit started = limit.Started();
  const bool drop = mode == ShutdownMode::kDropQueued;
  core->Close(drop ? Core::Phase::kEnding : Core::Phase::kDraining);
  const size_t dropped = drop ? core->DropQueued(nullptr) : 0;
  if (!core->IsWorkerHere()) core->Join(started);
  return core->Report(dropped);
}

bool WorkerPool::Join(const WaitLimit& limit) {
  if (core_->IsWorkerHere()) {
    internal::Throw(std::logic_error(
        "WorkerPool::Join: a worker cannot join its own pool"));
  }
  if (!core_->IsClosed()) {
    internal::Throw(
        std::logic_error("WorkerPool::Join: the pool is still running"));
  }
  return core_->Join(limit);
}

WorkerPool::Handle WorkerPool::handle() const { return Handle(core_); }

WorkerPool::Handle::Handle(internal::RefPtr<Core> core)
    : core_(std::move(core)) {}
WorkerPool::Handle::Handle(Handle&& other) noexcept = default;
WorkerPool::Handle& WorkerPool::Handle::operator=(Handle&& other) noexcept =
    default;
WorkerPool::Handle::~Handle() = default;

bool WorkerPool::Handle::Schedule(Task& task) const {
  return core_->Schedule(task, WaitLimit());
}
bool WorkerPool::Handle::IsBroken() const { return core_->IsBroken(); }
bool WorkerPool::Handle::IsWorkerHere() const { return core_->IsWorkerHere(); }

WorkerPool::Worker* WorkerPool::Here() const { return core_->Here(); }

bool WorkerPool::IsWorkerWanted() {
  auto* const worker = static_cast<Worker*>(internal::ThisThread().worker);
  return worker == nullptr || worker->core().IsClosed() ||
         worker->core().SeemsToHaveWork();
}

bool WorkerPool::PushFork(Worker& worker, Fork& fork) {
  // Without memory there are no thieves, and the caller runs it.
  if (internal::CatchAll([&] { worker.forks.Push(&fork); }) != nullptr)
    return false;
  worker.core().CallForWork();  // (R3)
  return true;
}

bool WorkerPool::PopFork(Worker& worker) {
  return worker.forks.Pop() != nullptr;
}

void WorkerPool::RunInWorker(std::function<void()> function) {
  using State = pool_internal::ResultTask<void, std::function<void()>>;
  auto* const state = pool_internal::MakeInBlock<State>(std::move(function));
  TaskQueue tasks;
  tasks.Push(Task(state));  // has the state's own reference
  AsyncResult<void> result(state);
  // Beyond the bound: the caller waits for it in any case, and must not run it.
  if (!ScheduleMany(tasks)) {
    if (IsBroken()) {
      internal::Throw(
          BrokenPool("WorkerPool::Invoke: an initializer threw; the pool "
                     "cannot be used any more"));
    }
    internal::Throw(
        ShutdownError("WorkerPool::Invoke: the pool accepts no more work"));
  }
  pool_internal::GetAtEnd(std::move(result));
}

uint64_t WorkerPool::number() const { return core_->number(); }
bool WorkerPool::IsShutDown() const { return core_->IsClosed(); }
bool WorkerPool::AcceptsHere() const { return core_->AcceptsHere(); }
bool WorkerPool::IsBroken() const { return core_->IsBroken(); }
bool WorkerPool::IsWorkerHere() const { return core_->IsWorkerHere(); }
int WorkerPool::max_workers() const { return core_->max_workers(); }
int WorkerPool::started_workers() const { return core_->threads(); }
PoolStats WorkerPool::Stats() const { return core_->Stats(); }

}  // namespace heddle
