// Threads for the rows of tools/compare whose work takes several.
//
// Google Benchmark's own threads do a fixed number of iterations each. A Crew's
// do one iteration's work together, so that it can be checked when all are done,
// and so that one thread may do more of it than another.
//
// Example:
//
//   Work outside(absl::Nanoseconds(50));
//   Crew crew(/*size=*/4, [&](int member) { Share(member, outside); });
//   for (auto _ : state) crew.Round();
//
// Thread safety: a Crew and an OtherThread belong to one thread; a Work may be
// done by all at once.

#ifndef HEDDLE_TOOLS_COMPARE_CREW_H_
#define HEDDLE_TOOLS_COMPARE_CREW_H_

#include <barrier>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <thread>
#include <vector>

#include "absl/time/time.h"

namespace heddle {
namespace compare {

class Crew {
 public:
  // `work(member)` is one member's part of a round; members count from 0.
  Crew(int size, std::function<void(int)> work);
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew();

  // Lets all members do their part, and returns when they have. That costs the
  // wake-up of each: a round should be long against some ten microseconds.
  void Round();

 private:
  void Run(int member);

  const std::function<void(int)> work_;
  bool stopped_ = false;  // written before the barrier is passed
  std::barrier<> barrier_;
  std::vector<std::thread> threads_;
};

// A thread that only sleeps until this object goes. The standard library of GCC
// and glibc do without atomic instructions while a process has a single thread,
// which no program with locks stays for long: measure what is uncontended beside
// one of these.
class OtherThread {
 public:
  OtherThread() : thread_([this] { gone_.wait(); }) {}
  OtherThread(const OtherThread&) = delete;
  OtherThread& operator=(const OtherThread&) = delete;
  ~OtherThread() {
    gone_.count_down();
    thread_.join();
  }

 private:
  std::latch gone_{1};
  std::thread thread_;
};

// So much work for a processor, that touches no memory. How many steps it takes
// is measured once for the whole process, so it is the same for all contenders.
class Work {
 public:
  explicit Work(absl::Duration duration);

  void operator()() const;

 private:
  int64_t steps_;
};

// The smallest of `shares` as a part of what each would be if all were equal: 1
// is fair, 0 says that somebody got nothing.
double WorstShare(const std::vector<int64_t>& shares);

}  // namespace compare
}  // namespace heddle

#endif  // HEDDLE_TOOLS_COMPARE_CREW_H_
