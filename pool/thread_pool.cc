#include "heddle/pool/thread_pool.h"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/map_job.h"
#include "heddle/pool/internal/next_number.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace {

std::string NextNamePrefix() {
  static constinit internal::Atomic<uint64_t> next{1};
  return absl::StrCat("ThreadPool-", pool_internal::NextNumber(next));
}

ThreadPool::Options OptionsFor(int workers) {
  if (workers < 1) {
    internal::Throw(std::invalid_argument(absl::StrCat(
        "ThreadPool: the number of workers must be at least 1, not ",
        workers)));
  }
  ThreadPool::Options options;
  options.workers = workers;
  return options;
}

WorkerPool::Options EngineOptions(const ThreadPool::Options& options) {
  WorkerPool::Options engine;
  if (options.workers < 0 || options.max_spares.value_or(0) < 0) {
    internal::Throw(std::invalid_argument(absl::StrCat(
        "ThreadPool: ", options.workers < 0 ? "workers" : "max_spares",
        " must not be negative")));
  }
  engine.max_workers = options.workers;
  engine.start = WorkerPool::StartPolicy::kAtOnce;
  engine.name_prefix =
      options.name_prefix.empty() ? NextNamePrefix() : options.name_prefix;
  engine.initializer = options.initializer;
  engine.max_spares = options.max_spares;
  engine.order = WorkerPool::Order::kOldestFirst;
  return engine;
}

}  // namespace

ThreadPool::ThreadPool(int workers) : ThreadPool(OptionsFor(workers)) {}

ThreadPool::ThreadPool(const Options& options)
    : pool_(EngineOptions(options)) {}

void ThreadPool::Close() {
  pool_.Shutdown(WorkerPool::ShutdownMode::kDrain, absl::ZeroDuration());
}

void ThreadPool::Terminate() {
  terminated_->store(true, std::memory_order_relaxed);  // see IsTerminated
  pool_.Shutdown(WorkerPool::ShutdownMode::kDropQueued, absl::ZeroDuration());
}

void ThreadPool::CheckOpen() const {
  if (!pool_.AcceptsHere()) ThrowRefused();
}

void ThreadPool::ThrowRefused() const {
  if (pool_.IsBroken()) {
    internal::Throw(
        BrokenPool("ThreadPool: an initializer threw; the pool cannot be used "
                   "any more"));
  }
  internal::Throw(ShutdownError("ThreadPool: the pool is not running"));
}

size_t ThreadPool::ChunkSize(size_t elements, const MapOptions& options) const {
  if (!options.chunksize.has_value()) {
    const size_t shares = 4 * static_cast<size_t>(workers());
    return elements == 0 ? 1 : (elements + shares - 1) / shares;
  }
  if (*options.chunksize < 1) {
    internal::Throw(std::invalid_argument(
        absl::StrCat("ThreadPool: the chunksize must be at least 1, not ",
                     *options.chunksize)));
  }
  return static_cast<size_t>(*options.chunksize);
}

void ThreadPool::CheckIMap(const IMapOptions& options) const {
  CheckOpen();
  if (options.chunksize == 0) {
    internal::Throw(std::invalid_argument(
        "ThreadPool: the chunksize must be at least 1, not 0"));
  }
}

void ThreadPool::CheckLoop(int64_t grain) const {
  CheckOpen();
  if (grain < 1) {
    internal::Throw(std::invalid_argument(
        absl::StrCat("ThreadPool: the grain must be at least 1, not ", grain)));
  }
}

void ThreadPool::StartJob(pool_internal::MapJobBase& job, size_t chunks) {
  TaskQueue tickets;
  for (size_t i = 0; i < chunks && i < static_cast<size_t>(workers()); ++i) {
    tickets.Push(
        Task(pool_internal::MakeInBlock<pool_internal::MapTicket>(job)));
  }
  // Refused, they abandon the job, which nobody has seen.
  if (!pool_.ScheduleMany(tickets)) ThrowRefused();
}

}  // namespace heddle
