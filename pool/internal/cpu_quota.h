// CpusToUse(): how many CPUs this process may really use.
//
// Besides the affinity mask a process in a container has a quota of CPU time in
// its control group (cgroup v1 or v2); threads beyond it only wait for each
// other.

#ifndef HEDDLE_POOL_INTERNAL_CPU_QUOTA_H_
#define HEDDLE_POOL_INTERNAL_CPU_QUOTA_H_

#include <optional>
#include <string>

namespace heddle {
namespace pool_internal {

// The CPUs of the affinity mask, but no more than the quota, rounded up. At
// least 1. Reads files: not for often.
int CpusToUse();

// The quota, in CPUs, of the control group that this process is in and of those
// around it, whichever is least; nothing if there is none or it cannot be read.
// `root` stands for "/", which tests replace.
std::optional<double> CpuQuota(const std::string& root = "/");

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_CPU_QUOTA_H_
