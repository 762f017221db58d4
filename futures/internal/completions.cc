#include "heddle/futures/internal/completions.h"

#include <cstddef>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace futures_internal {

using pool_internal::ResultHook;
using pool_internal::ResultState;

class Completions::Shared {
 public:
  explicit Shared(size_t count)
      : entries_(std::make_unique<Entry[]>(count)), users_(count + 1) {
    for (size_t i = 0; i < count; ++i) entries_[i].shared = this;
  }

  ResultHook& hook(size_t i) { return entries_[i]; }

  // The result at `i` is there.
  void Push(size_t i) { Push(entries_[i]); }

  bool HasReady() const { return ready_.value() > 0; }

  std::optional<size_t> Pop(const WaitLimit& limit) {
    if (!ready_.Acquire(limit)) return std::nullopt;
    LockGuard guard(lock_);
    Entry* const entry = first_;
    first_ = entry->next;
    return static_cast<size_t>(entry - entries_.get());
  }

  void Leave(size_t users) {
    const size_t before =
        users_.fetch_sub(users, std::memory_order_acq_rel);  // [LAST], (C2)
    if (before == users) delete this;
  }

 private:
  struct Entry final : ResultHook {
    void Completed() noexcept override {
      shared->Push(*this);
      shared->Leave(1);
    }

    Shared* shared = nullptr;
    internal::Var<Entry*> next = nullptr;  // guarded by lock_
  };

  void Push(Entry& entry) {
    {
      LockGuard guard(lock_);
      entry.next = nullptr;
      if (first_ == nullptr) {
        first_ = &entry;
      } else {
        last_->next = &entry;
      }
      last_ = &entry;
    }
    ready_.Release();
  }

  const std::unique_ptr<Entry[]> entries_;
  internal::Atomic<size_t> users_;
  Semaphore ready_{0};  // how many are in the queue
  Lock lock_;
  internal::Var<Entry*> first_ ABSL_GUARDED_BY(lock_) = nullptr;
  internal::Var<Entry*> last_ ABSL_GUARDED_BY(lock_) = nullptr;
};

Completions::Completions(const States& states)
    : states_(states),
      left_(states.size()),
      shared_(new Shared(states.size())) {
  size_t unlisted = 0;
  for (size_t i = 0; i < states_.size(); ++i) {
    // Before the callbacks of others: those may take their time.
    if (states_[i]->AddHook(shared_->hook(i), ResultState::Place::kFirst))
      continue;
    shared_->Push(i);
    ++unlisted;
  }
  if (unlisted > 0) shared_->Leave(unlisted);
}

Completions::~Completions() {
  size_t users = 1;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i] != nullptr && states_[i]->RemoveHook(shared_->hook(i)))
      ++users;
  }
  shared_->Leave(users);
}

std::optional<size_t> Completions::Next(const WaitLimit& limit) {
  if (pool_internal::IsEndless(limit) && !shared_->HasReady()) Help(limit);
  const std::optional<size_t> next = shared_->Pop(limit);
  if (next.has_value()) {
    states_[*next] = nullptr;
    --left_;
  }
  return next;
}

// A wait without end, for none that is there. What begins stays begun, so all
// calls together look at each once.
void Completions::Help(const WaitLimit& limit) {
  for (; unbegun_ < states_.size(); ++unbegun_) {
    ResultState* const state = states_[unbegun_];
    if (state == nullptr) continue;
    if (state->RunInPlace()) return;
  }
  if (left_ > 1) return;
  // It is certain which one has to come, so a ring of waits can be seen.
  for (ResultState* const state : states_) {
    if (state != nullptr) state->Wait(limit);
  }
}

}  // namespace futures_internal
}  // namespace heddle
