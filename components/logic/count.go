package logic

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// maxCount is the largest number of inputs that can be asked for.
const maxCount = 9

type atLeastSettings struct {
	Count value.Value `json:"minSetInputs" label:"Minimum Inputs" doc:"How many inputs must be set, from 0 to 9. When absent, or more than there are inputs, no output fires."`
}

type atMostSettings struct {
	Count value.Value `json:"maxSetInputs" label:"Maximum Inputs" doc:"How many inputs may be set, from 0 to 9. When absent, or more than there are inputs, no output fires."`
}

func atLeast() component.Definition {
	run := func(_ context.Context, _ *component.Call, s *atLeastSettings, in component.Input) (value.Value, error) {
		return compare(s.Count, in, func(set, count float64) bool { return set >= count }), nil
	}
	return component.Define(spec("LogicAtLeast", "Verified when at least so many inputs are set."), run).
		WithCheck(checkCount("minSetInputs", "Minimum Inputs"))
}

func atMost() component.Definition {
	run := func(_ context.Context, _ *component.Call, s *atMostSettings, in component.Input) (value.Value, error) {
		return compare(s.Count, in, func(set, count float64) bool { return set <= count }), nil
	}
	return component.Define(spec("LogicAtMost", "Verified when at most so many inputs are set."), run).
		WithCheck(checkCount("maxSetInputs", "Maximum Inputs"))
}

// compare answers by the number of set inputs. Without a usable count neither branch goes on.
func compare(setting value.Value, in component.Input, verified func(set, count float64) bool) value.Value {
	count, ok := readCount(setting)
	if !ok || count > float64(len(in.Ports)) {
		return value.Obj()
	}
	return answer(verified(float64(countSet(in)), count))
}

func checkCount(name, label string) func(value.Value) []schema.Violation {
	return func(settings value.Value) []schema.Violation {
		message := ""
		v := settings.Get(name)
		count, ok := readCount(v)
		text, isText := v.Str()
		switch {
		case v.IsAbsent(), ok && count >= 0 && count <= maxCount:
			return nil
		case isText && text == "":
			message = strconv.Quote(label) + " is not allowed to be empty"
		case isText && !ok:
			message = custom(label, "must be a number")
		case !ok:
			message = strconv.Quote(label) + " must be one of [string, number]"
		default:
			message = custom(label, "must be from 0 to 9")
		}
		return []schema.Violation{{Name: name, Message: message}}
	}
}

func custom(label, rule string) string {
	return strconv.Quote(label) + " failed custom validation because The value for '" + label + "' " + rule
}

// readCount reads a number or a text of one.
func readCount(v value.Value) (float64, bool) {
	n, ok := v.Num()
	if s, isText := v.Str(); isText {
		parsed, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		n, ok = parsed, err == nil
	}
	return n, ok && !math.IsNaN(n)
}
