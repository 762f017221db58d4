// Patience: how long a worker lets tasks gather before it fetches them.
//
// A fetch takes some cache lines away from the producers, which costs them as
// much as several pushes. A worker that is as fast as they are, and fetches tasks
// one by one as they come, makes everybody slow: 200 ns a task where 50 will do.
// So a worker that has come several times, and found few tasks each time,
// pauses before it looks again; longer and longer, as long as enough tasks come
// meanwhile. Where they come one by one, nobody ever pauses for them.
//
//   SpinPauses(patience.pauses());
//   patience.Found(tasks.size());
//   Fetch();

#ifndef HEDDLE_POOL_INTERNAL_PATIENCE_H_
#define HEDDLE_POOL_INTERNAL_PATIENCE_H_

#include <algorithm>
#include <cstddef>

namespace heddle {
namespace pool_internal {

class Patience {
 public:
  // So many tasks are worth a fetch: nothing is to be gained by a longer pause.
  static constexpr size_t kMany = 16;
  // Few tasks so many times, and never none, are a stream of them.
  static constexpr int kTimes = 4;
  // A pause is too long if less than one task for so many SpinPause()s has come
  // (these take some 40 ns each).
  static constexpr size_t kPausesForTask = 4;
  static constexpr int kFirstPauses = 4;
#ifdef HEDDLE_MODEL
  static constexpr int kMostPauses =
      0;  // who waits any longer sees nothing new
#else
  static constexpr int kMostPauses = 32;
#endif

  // How many SpinPause()s to wait before the next look.
  int pauses() const { return pauses_; }

  // There were so many tasks after that.
  void Found(size_t tasks) {
    if (tasks == 0 || tasks * kPausesForTask < static_cast<size_t>(pauses_)) {
      *this = Patience();
    } else if (tasks < kMany) {
      times_ = std::min(times_ + 1, kTimes);
      if (times_ == kTimes)
        pauses_ = std::min(std::max(2 * pauses_, kFirstPauses), kMostPauses);
    }
  }

 private:
  int pauses_ = 0;
  int times_ = 0;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_PATIENCE_H_
