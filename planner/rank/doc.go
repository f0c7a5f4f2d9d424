// Package rank puts plans in order and says why: hard vetoes first, then a
// Pareto front over named objectives.
//
// A plan dominates another when it is at least as good in every objective and
// better in one (Deb et al. 2002, doi 10.1109/4235.996017, section III). Where
// the objectives are known as samples on common random numbers, a plan beats
// another only if it is no worse in each objective, and better in one, with a
// probability of at least 0.9 each. There is no weighted sum across a veto, and
// objectives are never added up to say that one plan dominates another. Within
// a front, plans are ordered by their distance to the ideal point in objectives
// scaled to the range of the plans; weights act there and nowhere else.
//
// Rank gives the whole picture: the order, at most seven plans that differ, a
// knee as a proposal, why each other plan is not among them, the nearest
// rejected plan with its distance to feasibility, what to switch to when an
// assumption fails, and, when no plan keeps the hard rules, what would have to
// change. Every number in it is a planner.Quantity or stands in a sentence.
//
// The result depends only on the values, with plan ids to break ties; it does
// not judge a plan as harmless or not, which is for a surgeon. Functions are
// pure and safe for concurrent use.
package rank
