package conformance

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sre-go/sre/value"
)

// Diff is one place where two values differ.
type Diff struct {
	Pointer string // JSON pointer
	Got     value.Value
	Want    value.Value
}

// shown bounds the text of one side of a difference, in bytes.
const shown = 400

func (d Diff) String() string {
	pointer := d.Pointer
	if pointer == "" {
		pointer = "(root)"
	}
	return pointer + "\n\t got " + show(d.Got) + "\n\twant " + show(d.Want)
}

func show(v value.Value) string {
	if v.IsAbsent() {
		return "nothing"
	}
	s := v.JSON()
	if len(s) <= shown {
		return s
	}
	cut := shown
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "… (" + strconv.Itoa(len(s)) + " bytes)"
}

// Compare returns where got differs from want, in the order of want: numbers as numbers, the order of members free.
// A string "<VARIES:type>" in want asks for any value of that type.
func Compare(got, want value.Value) []Diff {
	var diffs []Diff
	compare("", got, want, &diffs)
	return diffs
}

func compare(pointer string, got, want value.Value, diffs *[]Diff) {
	if kind, varies := variesKind(want); varies {
		if got.IsAbsent() || got.Kind().String() != kind {
			*diffs = append(*diffs, Diff{pointer, got, want})
		}
		return
	}
	switch {
	case got.IsArray() && want.IsArray():
		for i := range max(got.Len(), want.Len()) {
			compare(pointer+"/"+strconv.Itoa(i), got.At(i), want.At(i), diffs)
		}
	case got.IsObject() && want.IsObject():
		for _, m := range want.Members() {
			compare(pointer+"/"+escapePointer(m.Key), got.Get(m.Key), m.Value, diffs)
		}
		for _, m := range got.Members() {
			if !want.Has(m.Key) && !m.Value.IsAbsent() {
				*diffs = append(*diffs, Diff{pointer + "/" + escapePointer(m.Key), m.Value, value.Value{}})
			}
		}
	default:
		if !value.Equal(got, want) {
			*diffs = append(*diffs, Diff{pointer, got, want})
		}
	}
}

// CompareUnordered is Compare for two arrays whose items may come in any order: requests that a server received from
// components that ran at the same time. Items are paired when they are equal; only what is left over is reported.
func CompareUnordered(got, want value.Value) []Diff {
	if !got.IsArray() || !want.IsArray() {
		return Compare(got, want)
	}
	taken := make([]bool, got.Len())
	matched := make([]int, want.Len())
	for i, w := range want.Items() {
		matched[i] = -1
		for j, g := range got.Items() {
			if !taken[j] && len(Compare(g, w)) == 0 {
				taken[j], matched[i] = true, j
				break
			}
		}
	}
	var diffs []Diff
	next := 0
	for i, w := range want.Items() {
		if matched[i] >= 0 {
			continue
		}
		for next < len(taken) && taken[next] {
			next++
		}
		compare("/"+strconv.Itoa(i), got.At(next), w, &diffs)
		next++
	}
	for ; next < len(taken); next++ {
		if !taken[next] {
			diffs = append(diffs, Diff{Pointer: "/" + strconv.Itoa(next), Got: got.At(next)})
		}
	}
	return diffs
}

func variesKind(want value.Value) (kind string, ok bool) {
	s, isString := want.Str()
	if !isString || !strings.HasPrefix(s, "<VARIES:") || !strings.HasSuffix(s, ">") {
		return "", false
	}
	return s[len("<VARIES:") : len(s)-1], true
}

func escapePointer(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}
