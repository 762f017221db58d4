#include "heddle/pool/internal/cpu_quota.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "heddle/thread/internal/os_thread.h"

namespace heddle {
namespace pool_internal {
namespace {

std::optional<std::string> FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

// The pieces of `text` between `separator`s, at most `most`, the last with all
// that is left. (Abseil's header for it does not pass our warnings in clang 14.)
std::vector<std::string> Split(const std::string& text, char separator,
                               size_t most) {
  std::vector<std::string> pieces;
  size_t begin = 0;
  while (pieces.size() + 1 < most) {
    const size_t end = text.find(separator, begin);
    if (end == std::string::npos) break;
    pieces.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  pieces.push_back(text.substr(begin));
  return pieces;
}

std::optional<double> Ratio(absl::string_view quota, absl::string_view period) {
  double time = 0;
  double of = 0;
  // "max", or -1 in v1: no quota.
  if (!absl::SimpleAtod(quota, &time) || !absl::SimpleAtod(period, &of) ||
      time <= 0 || of <= 0) {
    return std::nullopt;
  }
  return time / of;
}

// "QUOTA PERIOD" in cpu.max.
std::optional<double> QuotaOfV2(const std::string& folder) {
  const std::optional<std::string> line =
      FirstLine(absl::StrCat(folder, "/cpu.max"));
  if (!line.has_value()) return std::nullopt;
  const std::vector<std::string> words = Split(*line, ' ', 3);
  if (words.size() != 2) return std::nullopt;
  return Ratio(words[0], words[1]);
}

std::optional<double> QuotaOfV1(const std::string& folder) {
  const std::optional<std::string> quota =
      FirstLine(absl::StrCat(folder, "/cpu.cfs_quota_us"));
  const std::optional<std::string> period =
      FirstLine(absl::StrCat(folder, "/cpu.cfs_period_us"));
  if (!quota.has_value() || !period.has_value()) return std::nullopt;
  return Ratio(*quota, *period);
}

// The least that `quota_of` finds in `top` + `path` and the folders above it, up
// to `top`. In a container the path may be one that only the host can see.
template <typename QuotaOf>
std::optional<double> LeastUpTo(const std::string& top, std::string path,
                                QuotaOf quota_of) {
  std::optional<double> least;
  for (;;) {
    if (path == "/") path.clear();
    const std::optional<double> quota = quota_of(absl::StrCat(top, path));
    if (quota.has_value() && (!least.has_value() || *quota < *least))
      least = quota;
    if (path.empty()) return least;
    path.resize(path.rfind('/'));
  }
}

}  // namespace

std::optional<double> CpuQuota(const std::string& root) {
  const std::string groups = absl::StrCat(root, "sys/fs/cgroup");
  std::ifstream file(absl::StrCat(root, "proc/self/cgroup"));
  std::optional<double> least;
  std::string line;
  while (std::getline(file, line)) {
    // "0::PATH" is v2; "N:cpu,cpuacct:PATH" is v1.
    const std::vector<std::string> parts = Split(line, ':', 3);
    if (parts.size() != 3 || !absl::StartsWith(parts[2], "/")) continue;
    std::optional<double> quota;
    if (parts[1].empty()) {
      quota = LeastUpTo(groups, parts[2], QuotaOfV2);
    } else {
      const std::vector<std::string> controllers = Split(parts[1], ',', 100);
      if (std::find(controllers.begin(), controllers.end(), "cpu") ==
          controllers.end()) {
        continue;
      }
      for (const std::string& folder : {parts[1], std::string("cpu")}) {
        if (quota.has_value()) break;
        quota =
            LeastUpTo(absl::StrCat(groups, "/", folder), parts[2], QuotaOfV1);
      }
    }
    if (quota.has_value() && (!least.has_value() || *quota < *least))
      least = quota;
  }
  return least;
}

int CpusToUse() {
  const int cpus = internal::UsableCpus();
  const std::optional<double> quota = CpuQuota();
  if (!quota.has_value() || *quota >= cpus) return cpus;
  return std::max(1, static_cast<int>(std::ceil(*quota)));
}

}  // namespace pool_internal
}  // namespace heddle
