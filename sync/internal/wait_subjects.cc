#include "heddle/sync/internal/wait_subjects.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/sync/shared_lock.h"

namespace heddle {
namespace sync_internal {
namespace {

template <typename Subject>
WaitSubjectKind Kind(std::string name) {
  return {std::move(name),
          [](int waiters) -> std::unique_ptr<WaitSubject> {
            return std::make_unique<Subject>(waiters);
          },
          Subject::kOpens,
          Subject::kCounts,
          Subject::kBreaks,
          Subject::kReleasesHere};
}

std::vector<WaitSubjectKind> Those(bool WaitSubjectKind::*fact, bool value) {
  const std::vector<WaitSubjectKind> all = AllWaitSubjects();
  std::vector<WaitSubjectKind> those;
  std::copy_if(
      all.begin(), all.end(), std::back_inserter(those),
      [&](const WaitSubjectKind& kind) { return kind.*fact == value; });
  return those;
}

}  // namespace

std::vector<WaitSubjectKind> AllWaitSubjects() {
  return {
      Kind<HeldLock<Lock>>("Lock"),
      Kind<LockHeldElsewhere<RLock>>("RLock"),
      Kind<HeldLock<SharedLock>>("SharedLock"),
      Kind<WriterBehindReader>("WriterBehindReader"),
      Kind<ReaderBehindWriter>("ReaderBehindWriter"),
      Kind<LockHeldElsewhere<Condition>>("LockOfCondition"),
      Kind<HeldLock<ConditionOn<Lock>>>("LockUnderCondition"),
      Kind<Notification<Condition>>("Condition"),
      Kind<Notification<ConditionOn<Lock>>>("ConditionOnLock"),
      Kind<Notification<ConditionOn<RLock>>>("ConditionOnRLock"),
      Kind<Predicate<Condition>>("Predicate"),
      Kind<Predicate<ConditionOn<Lock>>>("PredicateOnLock"),
      Kind<EmptySemaphore>("Semaphore"),
      Kind<EmptyBoundedSemaphore>("BoundedSemaphore"),
#ifdef ABSL_HAVE_EXCEPTIONS
      Kind<IncompleteBarrier>("Barrier"),
#endif
      Kind<UnsetEvent>("Event"),
      Kind<LatchOfOne>("Latch"),
  };
}

std::vector<WaitSubjectKind> WaitSubjectsThat(bool WaitSubjectKind::*fact) {
  return Those(fact, true);
}
std::vector<WaitSubjectKind> WaitSubjectsNotThat(bool WaitSubjectKind::*fact) {
  return Those(fact, false);
}

}  // namespace sync_internal
}  // namespace heddle
