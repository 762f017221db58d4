#include "heddle/tools/explore/internal/strategy.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace heddle {
namespace explore {
namespace {

// The index of the n-th lowest bit that is set.
int NthBit(uint32_t bits, int n) {
  for (; n > 0; --n) bits &= bits - 1;
  return std::countr_zero(bits);
}

uint64_t Mixed(uint64_t value) {
  value += uint64_t{0x9E3779B97F4A7C15};
  value = (value ^ (value >> 30)) * uint64_t{0xBF58476D1CE4E5B9};
  value = (value ^ (value >> 27)) * uint64_t{0x94D049BB133111EB};
  return value ^ (value >> 31);
}

// xorshift64*, started anew for each execution.
class Dice {
 public:
  void Seed(uint64_t seed) { state_ = Mixed(seed) | 1; }

  uint32_t Next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<uint32_t>((state_ * uint64_t{0x2545F4914F6CDD1D}) >> 32);
  }
  int Below(int count) {
    return static_cast<int>((uint64_t{Next()} * static_cast<uint64_t>(count)) >>
                            32);
  }
  bool OneIn(int count) { return Below(count) == 0; }

 private:
  uint64_t state_ = 1;
};

// What the random strategies have in common: how often the rare things happen
// differs from execution to execution, because some bugs need many of them and
// others are hidden by them.
class Randomized : public Strategy {
 public:
  explicit Randomized(uint64_t seed) : seed_(seed) {}

  bool Begin() override {
    dice_.Seed(Mixed(seed_) + executions_);
    ++executions_;
    static constexpr int kRarities[] = {2, 3, 8, 1000};
    stale_ = kRarities[dice_.Below(4)];
    rare_ = kRarities[1 + dice_.Below(3)];
    Start();
    return true;
  }

  int Pick(Choice choice, int count, bool deviates) override {
    if (choice == Choice::kRead || choice == Choice::kStore) {
      if (!dice_.OneIn(stale_)) return 0;
      return 1 + dice_.Below(count - 1);
    }
    if (deviates && !dice_.OneIn(rare_)) return 0;
    return dice_.Below(count);
  }

 protected:
  virtual void Start() {}

  Dice& dice() { return dice_; }
  bool Rarely() { return dice_.OneIn(2 * rare_); }

 private:
  const uint64_t seed_;
  uint64_t executions_ = 0;
  Dice dice_;
  int stale_ = 2;
  int rare_ = 8;
};

class Random final : public Randomized {
 public:
  using Randomized::Randomized;

  int PickThread(const Candidates& candidates) override {
    const int runnable = std::popcount(candidates.runnable);
    const int all = candidates.count();
    if (runnable == 0 || (all > runnable && Rarely()))
      return runnable + dice().Below(all - runnable);
    return dice().Below(runnable);
  }
};

class Pct final : public Randomized {
 public:
  Pct(uint64_t seed, int depth)
      : Randomized(seed), changes_(static_cast<size_t>(depth - 1)) {}

  int PickThread(const Candidates& candidates) override {
    length_ = std::max(length_, candidates.step);
    if (candidates.yielding >= 0) priorities_[candidates.yielding] = --lowest_;
    if (candidates.current >= 0) {
      while (next_change_ < changes_.size() &&
             changes_[next_change_] <= candidates.step) {
        ++next_change_;
        priorities_[candidates.current] = --lowest_;
      }
    }
    const int runnable = std::popcount(candidates.runnable);
    const int count = candidates.count();
    if (runnable == 0 || (count > runnable && Rarely()))
      return runnable + dice().Below(count - runnable);
    int best = 0;
    for (int i = 1; i < runnable; ++i) {
      if (priorities_[candidates.at(i).thread] >
          priorities_[candidates.at(best).thread]) {
        best = i;
      }
    }
    return best;
  }

 private:
  void Start() override {
    for (int i = 0; i < kMaxThreads; ++i) {
      const int other = dice().Below(i + 1);
      priorities_[i] = priorities_[other];
      priorities_[other] = i;
    }
    lowest_ = 0;
    for (int64_t& change : changes_)
      change = dice().Below(static_cast<int>(length_) + 1);
    std::sort(changes_.begin(), changes_.end());
    next_change_ = 0;
  }

  int64_t length_ = 20;  // the longest execution so far, in steps
  int priorities_[kMaxThreads] = {};
  int lowest_ = 0;
  std::vector<int64_t>
      changes_;  // steps at which the current thread falls back
  size_t next_change_ = 0;
};

class Exhaustive final : public Strategy {
 public:
  explicit Exhaustive(int bound) : last_bound_(bound) {}

  bool Begin() override {
    if (bound_ < 0) {  // the first
      bound_ = 0;
      return true;
    }
    while (!path_.empty() && path_.back().answer + 1 == path_.back().count)
      path_.pop_back();
    if (path_.empty()) {
      if (!cut_ || bound_ == last_bound_) return false;
      ++bound_;
      cut_ = false;
    } else {
      ++path_.back().answer;
    }
    at_ = 0;
    used_ = 0;
    return true;
  }

  int PickThread(const Candidates& candidates) override {
    const int count = candidates.count();
    if (candidates.current >= 0) return Decide(1, count);
    // Nobody is interrupted: any runnable thread may be next.
    const int runnable = std::popcount(candidates.runnable);
    return Decide(runnable == 0 ? count : runnable, count);
  }
  int Pick(Choice /*choice*/, int count, bool deviates) override {
    return Decide(deviates ? 1 : count, count);
  }

 private:
  struct Branch {
    uint8_t answer;
    uint8_t count;
  };

  // Of `count` answers all from `free` on are deviations.
  int Decide(int free, int count) {
    if (free < count && used_ == bound_) {
      cut_ = true;
      count = free;
    }
    if (count == 1) return 0;
    if (at_ == path_.size()) path_.push_back({0, static_cast<uint8_t>(count)});
    const int answer = path_[at_++].answer;
    if (answer >= free) ++used_;
    return answer;
  }

  const int last_bound_;
  int bound_ = -1;
  bool cut_ = false;  // the bound has kept something back
  std::vector<Branch> path_;
  size_t at_ = 0;
  int used_ = 0;
};

class Replay final : public Strategy {
 public:
  explicit Replay(std::vector<uint8_t> answers)
      : answers_(std::move(answers)) {}

  bool Begin() override {
    const bool first = !begun_;
    begun_ = true;
    return first;
  }
  int PickThread(const Candidates& candidates) override {
    return Next(candidates.count());
  }
  int Pick(Choice /*choice*/, int count, bool /*deviates*/) override {
    return Next(count);
  }

 private:
  int Next(int count) {
    if (at_ == answers_.size()) return 0;
    return std::min<int>(answers_[at_++], count - 1);
  }

  const std::vector<uint8_t> answers_;
  size_t at_ = 0;
  bool begun_ = false;
};

}  // namespace

int Candidates::count() const {
  return std::popcount(runnable) + std::popcount(timed) +
         std::popcount(spurious);
}

Candidates::Candidate Candidates::at(int index) const {
  uint32_t rest = runnable;
  if (current >= 0) {
    if (index == 0) return {current, Candidate::kRun};
    --index;
    rest &= ~(uint32_t{1} << current);
  }
  if (const int some = std::popcount(rest); index < some) {
    return {NthBit(rest, index), Candidate::kRun};
  } else {
    index -= some;
  }
  if (const int some = std::popcount(timed); index < some) {
    return {NthBit(timed, index), Candidate::kTimeOut};
  } else {
    index -= some;
  }
  return {NthBit(spurious, index), Candidate::kWakeForNoReason};
}

std::unique_ptr<Strategy> MakeRandom(uint64_t seed) {
  return std::make_unique<Random>(seed);
}
std::unique_ptr<Strategy> MakePct(uint64_t seed, int depth) {
  return std::make_unique<Pct>(seed, std::max(depth, 1));
}
std::unique_ptr<Strategy> MakeExhaustive(int bound) {
  return std::make_unique<Exhaustive>(bound);
}
std::unique_ptr<Strategy> MakeReplay(std::vector<uint8_t> answers) {
  return std::make_unique<Replay>(std::move(answers));
}

std::string ToSeed(const std::vector<uint8_t>& answers) {
  std::string seed;
  size_t zeros = 0;
  for (const uint8_t answer : answers) {
    if (answer == 0) {
      ++zeros;
      continue;
    }
    if (!seed.empty()) seed += ',';
    seed += std::to_string(zeros) + ':' + std::to_string(int{answer});
    zeros = 0;
  }
  return seed.empty() ? "0" : seed;
}

bool FromSeed(const std::string& seed, std::vector<uint8_t>& answers) {
  answers.clear();
  if (seed == "0") return true;
  size_t at = 0;
  const auto number = [&](size_t limit, size_t& value) {
    const size_t start = at;
    value = 0;
    for (; at < seed.size() && seed[at] >= '0' && seed[at] <= '9'; ++at) {
      value = value * 10 + static_cast<size_t>(seed[at] - '0');
      if (value > limit) return false;
    }
    return at > start;
  };
  for (;;) {
    size_t zeros = 0;
    size_t answer = 0;
    if (!number(1'000'000, zeros) || at == seed.size() || seed[at++] != ':' ||
        !number(255, answer)) {
      return false;
    }
    answers.insert(answers.end(), zeros, uint8_t{0});
    answers.push_back(static_cast<uint8_t>(answer));
    if (at == seed.size()) return true;
    if (seed[at++] != ',') return false;
  }
}

}  // namespace explore
}  // namespace heddle
