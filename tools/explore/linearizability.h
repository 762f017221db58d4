// IsLinearizable(): whether a history of calls is one that an object could have
// whose calls happen one at a time, each at some moment between its beginning
// and its end.
//
// Example, in a model test or a stress test of a queue:
//
//   struct Call { bool push; int value; };     // what was called, and the result
//   History<Call> history;
//   run.Run([&] { history.Add([&] { q.Put(1); return Call{true, 1}; }); },
//           [&] { history.Add([&] { return Call{false, q.Get()}; }); });
//   Check(IsLinearizable(history, std::deque<int>(),
//                        [](std::deque<int>& q, const Call& call) {
//     if (call.push) { q.push_back(call.value); return true; }
//     if (q.empty() || q.front() != call.value) return false;
//     q.pop_front();
//     return true;
//   }));
//
// The search is Wing and Gong's (1993), with Lowe's memory of what has been
// tried where states can be compared. It takes 2^n steps at worst: kMaxCalls is
// for that reason small.
//
// Thread safety: Add() by several threads; the rest when they are done.

#ifndef HEDDLE_TOOLS_EXPLORE_LINEARIZABILITY_H_
#define HEDDLE_TOOLS_EXPLORE_LINEARIZABILITY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace heddle {
namespace explore {

// Calls in one history at most.
inline constexpr size_t kMaxCalls = 12;

template <typename Call>
class History {
 public:
  struct Entry {
    uint64_t begin;
    uint64_t end;
    Call call;
  };

  // Makes a call and keeps what it returns, with the moments before and after.
  // Nothing is kept of more than kMaxCalls. The clock is no part of a model: it
  // orders nothing that the object itself does not.
  template <typename Function>
  void Add(Function&& function) {
    const uint64_t begin = clock_.fetch_add(1, std::memory_order_relaxed);
    Call call = std::forward<Function>(function)();
    const uint64_t end = clock_.fetch_add(1, std::memory_order_relaxed);
    AddCall(begin, end, std::move(call));
  }
  void AddCall(uint64_t begin, uint64_t end, Call call) {
    const size_t index = count_.fetch_add(1, std::memory_order_relaxed);
    if (index < kMaxCalls) entries_[index].emplace(begin, end, std::move(call));
  }

  size_t size() const { return count_.load(std::memory_order_relaxed); }
  const Entry& operator[](size_t i) const { return entries_[i]->entry; }

 private:
  struct Slot {
    Slot(uint64_t begin, uint64_t end, Call call)
        : entry{begin, end, std::move(call)} {}
    Entry entry;
  };

  // The standard's, in a model too: no scheduling points of its own.
  std::atomic<uint64_t> clock_{0};
  std::atomic<size_t> count_{0};
  std::optional<Slot> entries_[kMaxCalls];
};

namespace linearizability_internal {

template <typename Call, typename State, typename Apply>
bool Search(const History<Call>& history, uint32_t done, const State& state,
            const Apply& apply,
            std::vector<std::pair<uint32_t, State>>& tried) {
  const auto all = (uint32_t{1} << history.size()) - 1;
  if (done == all) return true;
  for (const auto& [calls, before] : tried) {
    if (calls == done && before == state) return false;
  }
  // A call may be next unless another that is not done ended before it began.
  uint64_t first_end = UINT64_MAX;
  for (size_t i = 0; i < history.size(); ++i) {
    if ((done >> i & 1) == 0 && history[i].end < first_end)
      first_end = history[i].end;
  }
  for (size_t i = 0; i < history.size(); ++i) {
    if ((done >> i & 1) != 0 || history[i].begin > first_end) continue;
    State next = state;
    if (apply(next, history[i].call) &&
        Search(history, done | uint32_t{1} << i, next, apply, tried)) {
      return true;
    }
  }
  tried.emplace_back(done, state);
  return false;
}

}  // namespace linearizability_internal

// True if the calls of `history`, in some order that their moments allow, are
// calls of an object that begins as `initial`. `apply(state, call)` makes a call:
// it changes the state, and returns whether the call can have had its result in
// that state. States can be compared. A history of too many calls is refused.
template <typename Call, typename State, typename Apply>
bool IsLinearizable(const History<Call>& history, const State& initial,
                    const Apply& apply) {
  if (history.size() > kMaxCalls) return false;
  std::vector<std::pair<uint32_t, State>> tried;
  return linearizability_internal::Search(history, 0, initial, apply, tried);
}

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_LINEARIZABILITY_H_
