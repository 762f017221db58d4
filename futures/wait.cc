#include "heddle/futures/wait.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "heddle/futures/internal/completions.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace futures_internal {
namespace {

using pool_internal::ResultState;

bool HasFailed(const ResultState* state) {
  return state->Done() && !state->Cancelled() && state->error() != nullptr;
}

}  // namespace

void WaitFor(const States& states, ReturnWhen return_when,
             const WaitLimit& limit) {
  const WaitLimit started = limit.Started();
  if (return_when == ReturnWhen::kAllCompleted) {
    for (ResultState* const state : states) {
      if (!state->Wait(started)) return;
    }
    return;
  }
  const bool first = return_when == ReturnWhen::kFirstCompleted;
  const auto is_enough = [first](const ResultState* state) {
    return first ? state->Done() : HasFailed(state);
  };
  if (std::any_of(states.begin(), states.end(), is_enough)) return;
  Completions completions(states);
  for (size_t left = states.size(); left > 0; --left) {
    const std::optional<size_t> next = completions.Next(started);
    if (!next.has_value() || is_enough(states[*next])) return;
  }
}

}  // namespace futures_internal
}  // namespace heddle
