// MapJob: f(element) for every element of an indexed input, in chunks, by as
// many workers as come; the results in order, when all chunks have ended.
//
// The job is the state behind an AsyncResult. Workers come by tickets: tasks
// that each hold a reference and run chunks until none is left. So does whoever
// wants the result in a worker of the pool.
//
//   (M1) next_ only grows; who raises it over a chunk runs that chunk, or, for
//        all that are left, abandons them.
//   (M2) unended_ counts the chunks that have not ended or been abandoned. Who
//        brings it to 0 ends the job, once; all results are in place then.
//   [CHUNK] release of unended_ by who ends a chunk -> acquire by who ends the
//           last: the results of all before they are collected.

#ifndef HEDDLE_POOL_INTERNAL_MAP_JOB_H_
#define HEDDLE_POOL_INTERNAL_MAP_JOB_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/pool/internal/callable_cell.h"
#include "heddle/pool/internal/lowest_error.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/internal/running_call.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/internal/var.h"

namespace heddle {
namespace pool_internal {

// What becomes a std::vector<R>, made in any order. As a vector at once where
// that can be, else as one array of cells, moved over at the end.
template <typename R>
class OrderedResults {
  // bool is not: neighbours share a word.
  static constexpr bool kAsVector = std::is_default_constructible_v<R> &&
                                    std::is_nothrow_move_constructible_v<R> &&
                                    std::is_nothrow_destructible_v<R> &&
                                    !std::is_same_v<R, bool>;
  using Cells = std::conditional_t<kAsVector, std::vector<R>,
                                   std::vector<std::optional<R>>>;

 public:
  using Type = std::vector<R>;

  explicit OrderedResults(size_t count) : cells_(count) {}

  template <typename Call>
  void Make(size_t i, Call&& call) {
    if constexpr (kAsVector && std::is_trivially_copyable_v<R> &&
                  std::is_move_assignable_v<R>) {
      cells_[i] = call();
    } else if constexpr (kAsVector) {
      // Not assigned: a reference to a bit would pass that on to the bit.
      R result(call());
      R* const cell = std::addressof(cells_[i]);
      std::destroy_at(cell);
      std::construct_at(cell, std::move(result));
    } else {
      cells_[i].emplace(call());
    }
  }
  Type Collect() {
    if constexpr (kAsVector) {
      return std::move(cells_);
    } else {
      Type results;
      results.reserve(cells_.size());
      for (std::optional<R>& cell : cells_) results.push_back(std::move(*cell));
      return results;
    }
  }

 private:
  Cells cells_;
};

template <>
class OrderedResults<void> {
 public:
  using Type = void;

  explicit OrderedResults(size_t /*count*/) {}
  template <typename Call>
  void Make(size_t /*i*/, Call&& call) {
    call();
  }
  void Collect() {}
};

// What the tickets see of a job.
class MapJobBase {
 public:
  // Runs chunks until none is left.
  virtual void RunChunks() noexcept = 0;
  // Nobody is to run what has not begun, because of `why`; null: cancelled.
  virtual void Abandon(std::exception_ptr why) noexcept = 0;
  virtual void AddRef() noexcept = 0;
  virtual void Release() noexcept = 0;

 protected:
  ~MapJobBase() = default;
};

// A task that runs chunks of a job; dropped, it abandons the job.
class MapTicket final : public Task::Node {
 public:
  explicit MapTicket(MapJobBase& job) : job_(&job) { job.AddRef(); }

 private:
  bool Run() noexcept override {
    job_->RunChunks();
    End();
    return true;
  }
  void Drop(std::exception_ptr why) noexcept override {
    job_->Abandon(std::move(why));
    End();
  }
  void End() {
    job_->Release();
    DestroyInBlock(this);
  }

  MapJobBase* const job_;
};

// `Input` has size() and operator[]; `Tell` is as for ResultTask; `Stopped`
// tells that no chunk is to begin any more.
template <typename R, typename Function, typename Input, typename Tell,
          typename Stopped>
class MapJob final : public ResultOf<typename OrderedResults<R>::Type>,
                     public MapJobBase {
 public:
  using Result = typename OrderedResults<R>::Type;

  // `pool`: the number of the pool whose workers get the tickets.
  template <typename F, typename I>
  MapJob(F&& function, I&& input, size_t chunk_size, Tell tell, Stopped stopped,
         uint64_t pool)
      : work_(std::in_place, std::forward<F>(function), std::forward<I>(input)),
        count_(work_->input.size()),
        chunk_size_(chunk_size),
        chunks_((count_ + chunk_size - 1) / chunk_size),
        unended_(chunks_),
        results_(std::in_place, count_),
        tell_(std::move(tell)),
        stopped_(std::move(stopped)) {
    this->set_pool(pool);
    this->SetManyRunners();
  }

  size_t chunks() const { return chunks_; }

  // A job without elements is done at once, and tells nobody, as in Python.
  void EndEmpty() noexcept {
    static_cast<void>(this->TryStart());
    Collect();
    this->Finish();
  }

  void RunChunks() noexcept override {
    while (std::optional<size_t> chunk = NextChunk()) {
      static_cast<void>(this->TryStart());  // the first one does
      RunChunk(*chunk);
      EndChunks(1);
    }
  }

  void Abandon(std::exception_ptr why) noexcept override {
    // relaxed: a claim, (M1).
    const size_t next = next_.exchange(chunks_, std::memory_order_relaxed);
    if (next >= chunks_) return;
    abandoned_ = true;  // seen by who ends the last chunk, [CHUNK]
    why_ = std::move(why);
    EndChunks(chunks_ - next);
  }

  void AddRef() noexcept override { this->Ref(); }
  void Release() noexcept override { this->Unref(); }

 private:
  struct Work {
    template <typename F, typename I>
    Work(F&& f, I&& i)
        : function(std::forward<F>(f)), input(std::forward<I>(i)) {}

    OwnedCallable<Function> function;
    Input input;
  };

  std::optional<size_t> NextChunk() {
    if (stopped_()) Abandon(nullptr);
    // relaxed: a claim, (M1). First a look: next_ must not run away.
    if (next_.load(std::memory_order_relaxed) >= chunks_) return std::nullopt;
    const size_t chunk = next_.fetch_add(1, std::memory_order_relaxed);
    if (chunk >= chunks_) return std::nullopt;
    return chunk;
  }

  void RunChunk(size_t chunk) noexcept {
    const RunningCall running(static_cast<const ResultState*>(this));
    size_t i = chunk * chunk_size_;
    const size_t end = std::min(count_, i + chunk_size_);
    std::exception_ptr error = internal::CatchAll([&] {
      const Function& function = work_->function.get();
      for (; i < end; ++i) {
        results_->Make(i, [&]() -> decltype(auto) {
          return std::invoke(function, work_->input[i]);
        });
      }
    });
    if (error != nullptr)
      thrown_.Add(static_cast<int64_t>(i), std::move(error));
  }

  void EndChunks(size_t count) noexcept {
    if (unended_.fetch_sub(count, std::memory_order_acq_rel) != count)
      return;                             // [CHUNK], (M2)
    static_cast<void>(this->TryStart());  // if no chunk has
    const bool cancelled = abandoned_ && why_ == nullptr;
    EndCalls(cancelled);
    if (cancelled) {
      this->FinishCancelled();
    } else {
      this->Finish();
    }
  }

  // All that runs user code before the result is announced, as in ResultTask.
  void EndCalls(bool cancelled) noexcept {
    const RunningCall running(static_cast<const ResultState*>(this));
    work_.reset();
    if (!cancelled) {
      this->error_ = abandoned_ ? std::move(why_) : thrown_.Take();
      if (this->error_ == nullptr) Collect();
    }
    results_.reset();
    if (!cancelled) tell_(*this);
  }

  void Collect() noexcept {
    this->error_ = internal::CatchAll([this] {
      this->result_.SetFrom([this]() -> Result { return results_->Collect(); });
    });
  }

  // By tickets only: the job itself is in no queue.
  bool Run() noexcept override { return true; }
  bool CanRunHere() const noexcept override {
    // relaxed: RunChunks() looks again.
    return next_.load(std::memory_order_relaxed) < chunks_;
  }
  bool RunHere() noexcept override {
    RunChunks();
    return true;
  }
  void DestroyCallable() noexcept override {}
  void Destroy() noexcept override { delete this; }

  std::optional<Work> work_;
  const size_t count_;
  const size_t chunk_size_;
  const size_t chunks_;
  internal::Atomic<size_t> next_{0};
  internal::Atomic<size_t> unended_;
  std::optional<OrderedResults<R>> results_;
  [[no_unique_address]] Tell tell_;
  Stopped stopped_;
  LowestError thrown_;
  // By the one who abandons, (M1); then by who ends the last chunk.
  internal::Var<bool> abandoned_ = false;
  std::exception_ptr why_;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_MAP_JOB_H_
