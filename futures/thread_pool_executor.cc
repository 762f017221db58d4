#include "heddle/futures/thread_pool_executor.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/cpu_quota.h"
#include "heddle/pool/internal/next_number.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

std::string NextNamePrefix() {
  static constinit internal::Atomic<uint64_t> next{0};
  return absl::StrCat("ThreadPoolExecutor-", pool_internal::NextNumber(next));
}

WorkerPool::Options PoolOptions(const ThreadPoolExecutor::Options& options) {
  const int max_workers = options.max_workers.value_or(
      std::min(32, pool_internal::CpusToUse() + 4));
  const int max_spares = options.max_spares.value_or(
      options.max_workers.has_value() ? 0 : WorkerPool::kDefaultSpares);
  if (max_workers <= 0) {
    internal::Throw(std::invalid_argument(
        "ThreadPoolExecutor: max_workers must be greater than 0"));
  }
  if (max_spares < 0) {
    internal::Throw(std::invalid_argument(
        "ThreadPoolExecutor: max_spares must not be negative"));
  }
  return {.max_workers = max_workers,
          .start = WorkerPool::StartPolicy::kOnDemand,
          .name_prefix = options.thread_name_prefix.empty()
                             ? NextNamePrefix()
                             : options.thread_name_prefix,
          .initializer = options.initializer,
          .max_spares = max_spares,
          .order = WorkerPool::Order::kOldestFirst};
}

}  // namespace

ThreadPoolExecutor::ThreadPoolExecutor(const Options& options)
    : pool_(PoolOptions(options)) {}

void ThreadPoolExecutor::Schedule(Task task) {
  if (pool_.Schedule(task)) return;
  if (pool_.IsBroken()) {
    internal::Throw(BrokenThreadPool(
        "ThreadPoolExecutor: a thread's initializer threw; the "
        "executor cannot be used any more"));
  }
  internal::Throw(ShutdownError(
      "ThreadPoolExecutor: cannot schedule work after Shutdown()"));
}

bool ThreadPoolExecutor::DoShutdown(const ShutdownOptions& options) {
  const WaitLimit started = options.limit.Started();
  if (options.wait && pool_.IsWorkerHere()) {
    internal::Throw(
        std::logic_error("ThreadPoolExecutor::Shutdown: a task cannot wait for "
                         "the end of its own executor"));
  }
  pool_.Shutdown(options.cancel_futures ? WorkerPool::ShutdownMode::kDropQueued
                                        : WorkerPool::ShutdownMode::kDrain,
                 absl::ZeroDuration());
  return options.wait && pool_.Join(started);
}

}  // namespace heddle
