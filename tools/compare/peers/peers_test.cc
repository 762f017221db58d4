// Each peer is installed and its target has what it takes to use it.

#include <concurrentqueue/blockingconcurrentqueue.h>
#include <glib.h>
#include <nsync_cpp.h>
#include <nsync_mu.h>
#include <tbb/task_group.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/thread/thread.hpp>

#include "gtest/gtest.h"

namespace heddle {
namespace compare {
namespace {

TEST(PeersTest, BoostRunsATask) {
  std::atomic<bool> ran = false;
  boost::asio::thread_pool pool(1);
  boost::asio::post(pool, [&ran] { ran = true; });
  pool.join();
  EXPECT_TRUE(ran);
}

TEST(PeersTest, BoostThreadRuns) {
  bool ran = false;
  boost::thread thread([&ran] { ran = true; });
  thread.join();
  EXPECT_TRUE(ran);
}

TEST(PeersTest, ConcurrentQueueKeepsAnItem) {
  moodycamel::BlockingConcurrentQueue<int> queue;
  ASSERT_TRUE(queue.enqueue(7));
  int item = 0;
  queue.wait_dequeue(item);
  EXPECT_EQ(item, 7);
}

TEST(PeersTest, GlibQueueKeepsAnItem) {
  int item = 7;
  GAsyncQueue* const queue = g_async_queue_new();
  g_async_queue_push(queue, &item);
  EXPECT_EQ(g_async_queue_pop(queue), &item);
  g_async_queue_unref(queue);
}

TEST(PeersTest, NsyncLocks) {
  nsync::nsync_mu mu;
  nsync::nsync_mu_init(&mu);
  nsync::nsync_mu_lock(&mu);
  EXPECT_EQ(nsync::nsync_mu_trylock(&mu), 0);
  nsync::nsync_mu_unlock(&mu);
}

TEST(PeersTest, TbbRunsATask) {
  std::atomic<bool> ran = false;
  tbb::task_group group;
  group.run([&ran] { ran = true; });
  group.wait();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace compare
}  // namespace heddle
