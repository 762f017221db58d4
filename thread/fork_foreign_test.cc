// fork() in a program in which Heddle starts no thread, and is used all the same.

#include <unistd.h>

#include <cstdint>
#include <thread>

#include "gtest/gtest.h"
#include "heddle/thread/internal/fork_child.h"
#include "heddle/thread/this_thread.h"

namespace heddle {
namespace {

using internal::ExitCodeOfChild;

uint64_t Pid() { return static_cast<uint64_t>(getpid()); }

TEST(ForkForeignTest, TheNativeIdIsTheChilds) {
  EXPECT_EQ(GetNativeId(), Pid());
  EXPECT_EQ(ExitCodeOfChild([] { return GetNativeId() == Pid() ? 0 : 1; }), 0);
  std::thread([] {
    EXPECT_NE(GetNativeId(), Pid());
    EXPECT_EQ(ExitCodeOfChild([] { return GetNativeId() == Pid() ? 0 : 1; }),
              0);
  }).join();
}

TEST(ForkForeignTest, TheIdentIsKept) {
  const uint64_t main = GetIdent();
  EXPECT_EQ(ExitCodeOfChild([main] { return GetIdent() == main ? 0 : 1; }), 0);
  std::thread([main] {
    const uint64_t ident = GetIdent();
    EXPECT_NE(ident, main);
    EXPECT_EQ(ExitCodeOfChild([ident] {
                if (GetIdent() != ident) return 1;
                return MainThread().ident() == ident ? 0 : 2;
              }),
              0);
  }).join();
}

}  // namespace
}  // namespace heddle
