// Jobs that are done in the order of their urgency, whenever they came; prints
// "save, answer, tidy up, dust".
// Run: bazel run //examples:priority_jobs
#include <functional>
#include <iostream>
#include <string>
#include <tuple>
#include <utility>

#include "heddle/queue/priority_queue.h"
#include "heddle/thread/thread.h"

struct Job {
  int urgency;  // the smallest number comes first
  int number;   // and of equal ones, the one that was put first
  std::function<void()> work;

  bool operator<(const Job& other) const {
    return std::tie(urgency, number) < std::tie(other.urgency, other.number);
  }
};

int main() {
  heddle::PriorityQueue<Job> jobs;
  std::string done;
  const auto add = [&](int urgency, const std::string& name) {
    const int number = static_cast<int>(jobs.unfinished_tasks());
    jobs.Put({urgency, number, [&done, name] { done += ", " + name; }});
  };
  add(3, "tidy up");
  add(1, "save");
  add(3, "dust");
  add(2, "answer");

  heddle::Thread worker([&jobs] {
    for (const Job& job : jobs) {
      job.work();
      jobs.TaskDone();
    }
  });
  worker.Start();
  jobs.Join();
  jobs.Shutdown();
  worker.Join();
  std::cout << done.substr(2) << "\n";
}
