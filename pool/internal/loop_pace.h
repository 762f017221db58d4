// LoopPace: how long the elements of a loop take, as their caller has seen who does
// the first of them alone, piece by piece; and so, how many threads the rest is
// worth.
//
//   LoopPace pace(grain, Clock::Now());
//   Do(pace.piece());
//   switch (pace.Look(Clock::Now(), pace.piece(), left)) ...

#ifndef HEDDLE_POOL_INTERNAL_LOOP_PACE_H_
#define HEDDLE_POOL_INTERNAL_LOOP_PACE_H_

#include <cstdint>
#include <utility>

namespace heddle {
namespace pool_internal {

class LoopPace {
 public:
  // To wake a worker takes about as long as a loop that is expected to be done in
  // less.
  static constexpr double kAloneNanos = 20'000;
  // Pieces that take this long together tell how long the rest will take.
  static constexpr int64_t kKnownNanos = 500;
  // A piece that seems to take this long does.
  static constexpr int64_t kBelievedNanos = 100'000;
  // For a worker that is awake and watches, a guess will do; what it helps with
  // has to be worth a few cache lines.
  static constexpr int64_t kGuessedNanos = 100;
  static constexpr double kSharedNanos = 700;
  // What has been seen says little of more than so many times as many elements.
  static constexpr int64_t kTimesSeen = 16;

  // `now`, here and below, is a time of internal::Clock. REQUIRES: grain >= 1.
  LoopPace(int64_t grain, int64_t now)
      : grain_(grain), piece_(grain), started_(now), last_(now) {}

  int64_t grain() const { return grain_; }
  int64_t started() const { return started_; }
  // How many elements to do next; how many have just been done, and how long one
  // of these took.
  int64_t piece() const { return piece_; }
  int64_t seen() const { return seen_; }
  double nanos() const { return nanos_; }

  enum class Rest { kForOne, kForTwo, kForAll };

  // `done` elements have been done since the last look, by the caller or by two
  // threads, and `left` are left: for how many?
  Rest Look(int64_t now, int64_t done, int64_t left, int threads = 1) {
    const int64_t taken = threads * (now - std::exchange(last_, now));
    seen_ = done;
    nanos_ = static_cast<double>(taken) / static_cast<double>(done);
    if (left <= grain_) return Rest::kForOne;
    const double rest = nanos_ * static_cast<double>(left);
    if (rest > kAloneNanos && now - started_ >= kKnownNanos) {
      // A processor that was away for a moment looks like long elements. Where one
      // more piece is soon done, and little of the rest, it tells.
      if (is_long_ || taken >= kBelievedNanos || left / kTimesSeen < done)
        return Rest::kForAll;
      is_long_ = true;
      return Rest::kForOne;
    }
    is_long_ = false;
    piece_ = piece_ < left / 8 ? 8 * piece_ : left;
    return taken >= kGuessedNanos && rest > kSharedNanos ? Rest::kForTwo
                                                         : Rest::kForOne;
  }

 private:
  const int64_t grain_;
  int64_t piece_;
  int64_t seen_ = 0;
  const int64_t started_;
  int64_t last_;
  double nanos_ = 0;
  bool is_long_ = false;  // so the last piece has said
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_LOOP_PACE_H_
