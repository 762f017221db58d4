// Models of Slab: (S1), (S2), under every schedule.

#include <cstdint>

#include "gtest/gtest.h"
#include "heddle/pool/internal/slab.h"
#include "heddle/thread/internal/var.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace pool_internal {
namespace {

using explore::Execution;
using explore::Holds;
using internal::Var;

TEST(SlabModel, WhoBringsTheLastBlockSeesWhatWasDoneInAll) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Slab slab;
    slab.Open(3);
    Var<int> blocks[3] = {};  // stands for what is in them
    Var<int> wholes = 0;
    const auto use = [&](int first, int last) {
      for (int i = first; i <= last; ++i) blocks[i] = 1;
      if (!slab.Return(static_cast<uint32_t>(last - first + 1))) return;
      for (Var<int>& block : blocks) {
        explore::Check(block == 1);
        block = 2;
      }
      ++wholes;
    };
    run.Run([&] { use(0, 1); }, [&] { use(2, 2); });
    explore::Check(wholes == 1);
  }));
}

// Who opened it has not handed out all yet.
TEST(SlabModel, ItIsNotWholeWhileTheOpenerHasBlocks) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Slab slab;
    slab.Open(2);
    Var<bool> handed_out = false;
    Var<int> wholes = 0;
    run.Run(
        [&] {
          handed_out = true;  // the second one, here
          if (slab.Return(1)) ++wholes;
        },
        [&] {
          if (!slab.Return(1)) return;
          explore::Check(handed_out);
          ++wholes;
        });
    explore::Check(wholes == 1);
  }));
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
