// Threads that a row needs beside the one that measures. Neither starts or ends
// a thread in the timed part.
//
// Thread safety: for the thread that measures.

#ifndef HEDDLE_TOOLS_COMPARE_COMPANY_H_
#define HEDDLE_TOOLS_COMPARE_COMPANY_H_

#include <barrier>
#include <functional>
#include <semaphore>
#include <thread>
#include <utility>

namespace heddle {
namespace compare {

// Sleeps as long as it exists. What is measured in a process with one thread is
// not what anybody needs a lock for: glibc's and libstdc++'s then leave the
// atomic instructions out.
class Sleeper {
 public:
  Sleeper() = default;
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() {
    ended_.release();
    thread_.join();
  }

 private:
  std::binary_semaphore ended_{0};
  std::thread thread_{[this] { ended_.acquire(); }};
};

// Runs its part of the work in a thread of its own, as often as it is asked to.
class Partner {
 public:
  explicit Partner(std::function<void()> part) : part_(std::move(part)) {}
  Partner(const Partner&) = delete;
  Partner& operator=(const Partner&) = delete;
  ~Partner() {
    ended_ = true;
    gate_.arrive_and_wait();
    thread_.join();
  }

  // Lets the part begin; waits for its end.
  void Begin() { gate_.arrive_and_wait(); }
  void End() { gate_.arrive_and_wait(); }

 private:
  const std::function<void()> part_;
  std::barrier<> gate_{2};
  bool ended_ = false;  // written before the gate
  std::thread thread_{[this] {
    for (;;) {
      gate_.arrive_and_wait();
      if (ended_) return;
      part_();
      gate_.arrive_and_wait();
    }
  }};
};

}  // namespace compare
}  // namespace heddle

#endif  // HEDDLE_TOOLS_COMPARE_COMPANY_H_
