// A std::function must be copyable, and a promise is not; Submit() takes the lambda as it is.
//
// EXPECT: copy-constructible

#include <functional>
#include <utility>

#include "heddle/futures/promise.h"
#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor) {
  heddle::Promise<int> promise;
  std::function<void()> set = [promise = std::move(promise)]() mutable {
    promise.SetResult(1);
  };
  executor.Submit(set);
}
