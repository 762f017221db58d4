// The threads to show, those with most messages first.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "thread/thread.h"

namespace mail {

class Queue {
 public:
  void Add(Thread thread) { threads_.push_back(std::move(thread)); }

  // In the order in which they are shown.
  std::vector<Thread> Take() {
    std::sort(threads_.begin(), threads_.end(),
              [](const Thread& a, const Thread& b) {
                if (a.senders.size() != b.senders.size()) {
                  return a.senders.size() > b.senders.size();
                }
                return a.subject < b.subject;
              });
    return std::exchange(threads_, {});
  }

 private:
  std::vector<Thread> threads_;
};

}  // namespace mail
