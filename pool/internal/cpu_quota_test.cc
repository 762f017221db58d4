#include "heddle/pool/internal/cpu_quota.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "heddle/thread/internal/os_thread.h"

namespace heddle {
namespace pool_internal {
namespace {

// A file system with only what a test puts there.
class CpuQuotaTest : public ::testing::Test {
 protected:
  CpuQuotaTest() {
    const auto* const info =
        ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = ::testing::TempDir() + "/" + info->name() + "/";
    std::filesystem::remove_all(root_);
  }
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file(root_ + path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::optional<double> Quota() { return CpuQuota(root_); }

 private:
  std::string root_;
};

TEST_F(CpuQuotaTest, WithoutControlGroupsThereIsNone) {
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuQuotaTest, OfVersionTwo) {
  Write("proc/self/cgroup", "0::/work/job\n");
  EXPECT_EQ(Quota(), std::nullopt);
  Write("sys/fs/cgroup/work/job/cpu.max", "max 100000\n");
  EXPECT_EQ(Quota(), std::nullopt);
  Write("sys/fs/cgroup/work/job/cpu.max", "150000 100000\n");
  EXPECT_EQ(Quota(), 1.5);
}

TEST_F(CpuQuotaTest, TheLeastOfThoseAroundItCounts) {
  Write("proc/self/cgroup", "0::/work/job\n");
  Write("sys/fs/cgroup/work/job/cpu.max", "max 100000\n");
  Write("sys/fs/cgroup/work/cpu.max", "50000 100000\n");
  Write("sys/fs/cgroup/cpu.max", "400000 100000\n");
  EXPECT_EQ(Quota(), 0.5);
}

TEST_F(CpuQuotaTest, InAContainerTheGroupIsTheTop) {
  Write("proc/self/cgroup", "0::/../only/the/host/sees/this\n");
  Write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(Quota(), 2.0);
}

TEST_F(CpuQuotaTest, OfVersionOne) {
  Write("proc/self/cgroup", "5:memory:/job\n4:cpu,cpuacct:/job\n0::/\n");
  Write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "300000\n");
  Write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), 3.0);
  Write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(Quota(), std::nullopt);
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), 1.0);
}

TEST_F(CpuQuotaTest, WhatMakesNoSenseIsNoQuota) {
  Write("proc/self/cgroup", "nonsense\n0:\n0::/a\n7:cpu:relative\n");
  Write("sys/fs/cgroup/a/cpu.max", "1 2 3\n");
  EXPECT_EQ(Quota(), std::nullopt);
  Write("sys/fs/cgroup/a/cpu.max", "100000 0\n");
  EXPECT_EQ(Quota(), std::nullopt);
  Write("sys/fs/cgroup/a/cpu.max", "");
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST(CpusToUseTest, IsNoMoreThanTheAffinityMaskHas) {
  EXPECT_GE(CpusToUse(), 1);
  EXPECT_LE(CpusToUse(), internal::UsableCpus());
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
