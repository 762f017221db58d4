// Models of waits for results inside a ThreadPool of one worker, which must not
// wedge it.

#include <exception>
#include <optional>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/pool/async_result.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/internal/var.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using internal::Var;

// An execution is some hundred steps long, most of them the pool's beginning and
// end.
testing::AssertionResult HoldsInSome(const explore::Body& body) {
  return explore::HoldsInSamples(body, 10'000);
}

TEST(ThreadPoolModel, AResultThatIsWantedInsideIsMadeThere) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    Var<int> data = 0;
    ThreadPool pool({.workers = 1, .max_spares = 0});
    const int got = pool.Apply([&] {
      return pool.Apply([&] {
        ++data;
        return 1;
      }) + 1;
    });
    explore::Check(got == 2 && data == 1);
  }));
}

TEST(ThreadPoolModel, AWorkerAndAWaiterRunATaskOnce) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    Var<int> data = 0;
    ThreadPool pool({.workers = 2, .max_spares = 0});
    pool.Apply([&] {
      AsyncResult<void> inner = pool.ApplyAsync([&] { ++data; });
      inner.Get();
      explore::Check(data == 1);
    });
  }));
}

TEST(ThreadPoolModel, AMapInsideIsHelpedByWhoWantsIt) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    ThreadPool pool({.workers = 1, .max_spares = 0});
    const std::vector<int> numbers = {1, 2};
    const int sum = pool.Apply([&] {
      int total = 0;
      for (const int x : pool.Map([](int y) { return y; }, numbers)) total += x;
      return total;
    });
    explore::Check(sum == 3);
  }));
}

// Two elements, gone through in a task of a pool of so many workers.
void GoThroughInside(int workers, bool ordered) {
  ThreadPool pool({.workers = workers, .max_spares = 0});
  pool.Apply([&] {
    const std::vector<int> numbers = {0, 1};
    Var<int> calls[2] = {0, 0};
    const auto call = [&calls](int x) {
      ++calls[x];
      return x;
    };
    auto results =
        ordered ? pool.IMap(call, numbers) : pool.IMapUnordered(call, numbers);
    int sum = 0;
    while (const std::optional<int> x = results.Next()) sum += *x;
    explore::Check(sum == 1 && calls[0] == 1 && calls[1] == 1);
  });
}

TEST(ThreadPoolModel, AnIMapInsideIsMadeByWhoWantsIt) {
  for (const bool ordered : {true, false}) {
    EXPECT_TRUE(HoldsInSome(
        [ordered](Execution& /*run*/) { GoThroughInside(1, ordered); }));
  }
}

TEST(ThreadPoolModel, AWorkerAndWhoTakesResultsMakeEachOnce) {
  for (const bool ordered : {true, false}) {
    EXPECT_TRUE(HoldsInSome(
        [ordered](Execution& /*run*/) { GoThroughInside(2, ordered); }));
  }
}

TEST(ThreadPoolModel, TerminateEndsEveryResult) {
  EXPECT_TRUE(HoldsInSome([](Execution& run) {
    ThreadPool pool({.workers = 1, .max_spares = 0});
    AsyncResult<void> result = pool.ApplyAsync([] {});
    run.Run([&] { pool.Terminate(); }, [&] { result.Wait(); });
    explore::Check(result.Ready());
  }));
}

// The queue is closed before the pool says that it is.
TEST(ThreadPoolModel, ACallBesideTheCloseIsRunOrRefused) {
  for (const bool map : {false, true}) {
    EXPECT_TRUE(HoldsInSome([map](Execution& run) {
      ThreadPool pool({.workers = 1, .max_spares = 0});
      run.Run([&] { pool.Close(); },
              [&] {
                const std::exception_ptr error = internal::CatchAll([&] {
                  if (map) {
                    pool.Map([](int x) { return x; }, std::vector<int>{1});
                  } else {
                    pool.Apply([] {});
                  }
                });
                explore::Check(error == nullptr ||
                               internal::Holds<ShutdownError>(error));
              });
    }));
  }
}

}  // namespace
}  // namespace heddle
