// Four cooks, two stoves and a waiter: prints "100 dishes served, 300 taken".
// Run: bazel run //examples:primitives
#include <iostream>
#include <mutex>
#include <vector>

#include "heddle/sync/barrier.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/event.h"
#include "heddle/sync/latch.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/thread.h"

int main() {
  constexpr int kCooks = 4;
  constexpr int kDishes = 25;

  heddle::Event open;                  // everybody starts together
  heddle::BoundedSemaphore stoves(2);  // two cook at a time
  heddle::Lock lock;                   // guards `plates` ...
  heddle::Condition plated(lock);      // ... and tells when there are more
  heddle::Barrier closing(kCooks);     // nobody leaves before the last is done
  heddle::Latch gone(kCooks);          // counts those who have left
  int plates = 0;

  std::vector<heddle::Thread> cooks;
  for (int i = 0; i < kCooks; ++i) {
    cooks.emplace_back([&] {
      open.Wait();
      for (int dish = 0; dish < kDishes; ++dish) {
        std::lock_guard stove(stoves);
        heddle::LockGuard guard(lock);
        ++plates;
        plated.Notify();
      }
      closing.Wait();
      gone.CountDown();
    });
    cooks.back().Start();
  }
  open.Set();

  int served = 0;
  for (; served < kCooks * kDishes; ++served) {
    heddle::LockGuard guard(lock);
    plated.WaitFor([&] { return plates > 0; });
    --plates;
  }
  gone.Wait();
  std::cout << served << " dishes served, " << 3 * served << " taken\n";
}
