#include "heddle/thread/internal/spin.h"

#include <cstddef>
#include <cstdint>
#include <deque>

#include "gtest/gtest.h"
#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/internal/per_thread.h"

namespace heddle {
namespace internal {
namespace {

constexpr int64_t kLong = YieldRest::kLongNanos;

TEST(YieldRestTest, BeginsWithAYieldThatTookLong) {
  YieldRest rest;
  EXPECT_FALSE(rest.IsOn(1000));
  EXPECT_FALSE(rest.BeginIfLong(1000, 1000 + kLong - 1));
  EXPECT_FALSE(rest.IsOn(1000 + kLong));

  EXPECT_TRUE(rest.BeginIfLong(10 * kLong, 11 * kLong));
  EXPECT_TRUE(rest.IsOn(11 * kLong));
  EXPECT_TRUE(rest.IsOn(13 * kLong - 1));
  EXPECT_FALSE(rest.IsOn(13 * kLong));
}

TEST(YieldRestTest, IsTwiceAsLongIfTheLastWasTooShort) {
  YieldRest rest;
  int64_t now = 1000 * kLong;
  int64_t last = 0;
  // The next yield after each rest takes long again.
  while (last < YieldRest::kMostNanos) {
    ASSERT_TRUE(rest.BeginIfLong(now, now + kLong));
    const int64_t next = last == 0 ? 2 * kLong : 2 * last;
    last = next < YieldRest::kMostNanos ? next : YieldRest::kMostNanos;
    EXPECT_TRUE(rest.IsOn(now + kLong + last - 1));
    EXPECT_FALSE(rest.IsOn(now + kLong + last));
    now += kLong + last;
  }
  // One that comes long after the last begins anew.
  now += YieldRest::kMostNanos;
  EXPECT_TRUE(rest.BeginIfLong(now, now + kLong));
  EXPECT_FALSE(rest.IsOn(now + 3 * kLong));
}

TEST(SpinTest, HasJustWokenIsAskedOnce) {
  ThisThread().has_woken = true;
  EXPECT_TRUE(HasJustWoken());
  EXPECT_FALSE(HasJustWoken());
}

TEST(SpinTurnTest, AsManyAsThereAreProcessors) {
  std::deque<SpinTurn> turns;
  while (turns.emplace_back()) ASSERT_LE(turns.size(), 10'000u);
  EXPECT_EQ(turns.size() - 1, static_cast<size_t>(UsableCpus()));
  turns.clear();
  EXPECT_TRUE(SpinTurn());
}

TEST(LookMoreRarelyTest, EndsWithTheFirstLookThatIsNotInVain) {
  int looks = 0;
  EXPECT_TRUE(LookMoreRarely(1, [&] { return ++looks == 3; }));
  EXPECT_EQ(looks, 3);
}

TEST(LookMoreRarelyTest, EachLookComesAfterTwiceAsManyPauses) {
  int looks = 0;
  EXPECT_FALSE(LookMoreRarely(1, [&] { return ++looks < 0; }));
  EXPECT_EQ(looks, 6);  // after 1, 2, 4, 8, 16 and 32 pauses
  looks = 0;
  EXPECT_FALSE(LookMoreRarely(kSpinRounds, [&] { return ++looks < 0; }));
  EXPECT_EQ(looks, 1);
  EXPECT_TRUE(SpinTurn());  // the turn has been given back
}

TEST(LookMoreRarelyTest, LooksOnlyIfThereIsATurn) {
  std::deque<SpinTurn> turns;
  while (turns.emplace_back()) ASSERT_LE(turns.size(), 10'000u);
  EXPECT_FALSE(LookMoreRarely(1, [] { return true; }));
}

}  // namespace
}  // namespace internal
}  // namespace heddle
