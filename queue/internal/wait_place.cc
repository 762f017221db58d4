#include "heddle/queue/internal/wait_place.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "absl/base/attributes.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {

using internal::Waiter;

namespace {

bool IsAnyReady(absl::Span<WaitPlace* const> places) {
  return std::any_of(places.begin(), places.end(),
                     [](const WaitPlace* place) { return place->IsReady(); });
}

bool IsAnyReadySoon(absl::Span<WaitPlace* const> places, int first_look) {
  const auto look = [places] { return IsAnyReady(places); };
  if (internal::HasJustWoken()) return look();
  return internal::LookMoreRarely(first_look, look) || look();
}

// Sleeps in the one place where `waiter` is queued.
bool SleepIn(WaitPlace& place, Waiter& waiter, const WaitLimit& started) {
  if (!waiter.Sleep(started, /*has_looked=*/true)) return false;
  place.Woken(waiter.message());
  return true;
}

// Queues in the other places, too, and sleeps in all of them. (A function of its
// own: room for so many waiters is not to be touched by those that wait in one
// place, whose stack is cold when they wake.)
ABSL_ATTRIBUTE_NOINLINE bool SleepInAll(absl::Span<WaitPlace* const> places,
                                        Waiter& waiter,
                                        const WaitLimit& started) {
  std::array<std::optional<Waiter>, kMaxPlaces> others;
  size_t queued = 1;
  while (queued != places.size() &&
         places[queued]->Queue(others[queued].emplace(&waiter))) {
    ++queued;
  }
  // Where one of them is ready, the wait ends at once, but not without the
  // wake-up that may have come meanwhile from another.
  const bool is_ready = queued != places.size();
  const bool woken = waiter.Sleep(
      is_ready ? WaitLimit(absl::ZeroDuration()).Started() : started,
      /*has_looked=*/true);
  for (size_t i = 1; i < queued; ++i) {
    if (waiter.woken_in() != &*others[i]) others[i]->Leave();
  }
  if (!woken) return is_ready;
  for (size_t i = 0; i < queued; ++i) {
    if (waiter.woken_in() == (i == 0 ? &waiter : &*others[i])) {
      places[i]->Woken(waiter.message());
    }
  }
  return true;
}

}  // namespace

bool AwaitAny(absl::Span<WaitPlace* const> places, const WaitLimit& started,
              int first_look) {
  if (started.deadline().HasPassed() || started.stop_token().stop_requested()) {
    return false;
  }
  if (IsAnyReadySoon(places, first_look)) return true;
  Waiter waiter;  // in the first place; the others stand for it
  if (!places[0]->Queue(waiter)) return true;
  return places.size() == 1 ? SleepIn(*places[0], waiter, started)
                            : SleepInAll(places, waiter, started);
}

}  // namespace queue_internal
}  // namespace heddle
