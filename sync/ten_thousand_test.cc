// Ten thousand threads that wait for one object: all are woken, none is lost.
// Prints how long the waking took.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/wait_subjects.h"
#include "heddle/sync/lock.h"

namespace heddle {
namespace {

using sync_internal::ConditionOn;
using sync_internal::EmptySemaphore;
using sync_internal::HeldLock;
using sync_internal::IncompleteBarrier;
using sync_internal::Notification;
using sync_internal::UnsetEvent;

// The sanitizers keep books for each thread; GCC's for data races dies of ten
// thousand, and takes minutes for a fifth of that.
#if defined(ABSL_HAVE_THREAD_SANITIZER)
constexpr int kThreads = 500;
constexpr size_t kStackSize = size_t{256} << 10;
#elif defined(ABSL_HAVE_ADDRESS_SANITIZER)
constexpr int kThreads = 2000;
constexpr size_t kStackSize = size_t{256} << 10;
#else
constexpr int kThreads = 10000;
constexpr size_t kStackSize = size_t{64} << 10;
#endif

// Threads with small stacks, which std::thread and heddle::Thread do not make.
template <typename Function>
class SmallThreads {
 public:
  SmallThreads(int count, Function function) : function_(function) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackSize);
    const auto run = [](void* self) -> void* {
      static_cast<SmallThreads*>(self)->function_();
      return nullptr;
    };
    for (int i = 0; i < count; ++i) {
      pthread_t thread;
      if (pthread_create(&thread, &attributes, run, this) != 0) break;
      threads_.push_back(thread);
    }
    pthread_attr_destroy(&attributes);
  }
  SmallThreads(const SmallThreads&) = delete;
  SmallThreads& operator=(const SmallThreads&) = delete;
  ~SmallThreads() {
    for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
  }

  int count() const { return static_cast<int>(threads_.size()); }

 private:
  Function function_;
  std::vector<pthread_t> threads_;
};

template <typename Subject>
class TenThousandTest : public testing::Test {};
using Subjects =
    testing::Types<HeldLock<Lock>, EmptySemaphore, UnsetEvent,
                   Notification<ConditionOn<Lock>>, IncompleteBarrier>;
TYPED_TEST_SUITE(TenThousandTest, Subjects);

TYPED_TEST(TenThousandTest, AllAreWoken) {
  TypeParam subject(kThreads);
  std::atomic<int> begun{0};
  std::atomic<int> woken{0};
  std::chrono::steady_clock::time_point release;
  {
    SmallThreads threads(kThreads, [&] {
      ++begun;
      if (subject.Wait()) ++woken;
    });
    ASSERT_EQ(threads.count(), kThreads) << "the system has no more";
    while (begun.load() < kThreads || subject.waiters() < kThreads)
      std::this_thread::yield();
    EXPECT_EQ(woken.load(), 0);
    release = std::chrono::steady_clock::now();
    subject.Release(kThreads);
  }
  const std::chrono::duration<double> time =
      std::chrono::steady_clock::now() - release;
  EXPECT_EQ(woken.load(), kThreads);
  EXPECT_EQ(subject.waiters(), 0);
  std::cout << kThreads << " threads woken and joined in " << time.count()
            << " s\n";
}

}  // namespace
}  // namespace heddle
