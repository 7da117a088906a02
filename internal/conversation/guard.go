package conversation

import "fmt"

// repeats notices a model that goes in circles: the same call with the same answer again and again, or one tool that
// always gives the same whatever it is asked.
type repeats struct {
	limit  int // of equal calls
	same   map[string]int
	byTool map[string]*streak
}

// streak is how often a tool has given the same answer in a row.
type streak struct {
	last  string
	count int
}

// perTool is how often a tool may give the same answer in a row to different questions.
const perTool = 10

func newRepeats(limit int) *repeats {
	return &repeats{limit: limit, same: map[string]int{}, byTool: map[string]*streak{}}
}

// note counts an outcome. It returns what to tell the model when it goes in circles, "" when it does not.
func (r *repeats) note(o *outcome) string {
	key := o.call.Name + "\x00" + canonical(o) + "\x00" + o.text
	r.same[key]++
	if r.same[key] >= r.limit {
		return fmt.Sprintf("The tool %s was called %d times with the same arguments and gave the same answer each time: %s", o.call.Name, r.same[key], clip(o.text))
	}
	s := r.byTool[o.call.Name]
	if s == nil || s.last != o.text {
		r.byTool[o.call.Name] = &streak{last: o.text, count: 1}
		return ""
	}
	if s.count++; s.count >= perTool {
		return fmt.Sprintf("The tool %s gave the same answer %d times: %s", o.call.Name, s.count, clip(o.text))
	}
	return ""
}

// canonical writes arguments in one way; such as cannot be read stand for themselves.
func canonical(o *outcome) string {
	if o.args.IsAbsent() {
		return o.call.Arguments
	}
	return o.args.Canonical()
}

// clip shortens a text for a sentence.
func clip(s string) string {
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
