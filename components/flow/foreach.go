package flow

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/value"
)

// Output members of a loop.
const (
	keyLoop   = "Loop"
	keyResult = "Result"
	keyTemp   = "_temp_result" // what the iterations left so far, for debug sessions
)

type forEachSettings struct {
	Format      value.Value `json:"format" label:"Format" default:"full" doc:"full: the result of each last component of an iteration with its id and name. minimal: its outputs alone. results-array: the values of these outputs in one list."`
	Concurrency value.Value `json:"concurrency" label:"Concurrency" default:"1" doc:"How many iterations may run at once. Results keep the order of the items."`
}

func forEach() component.Definition {
	return component.DefineWithFinish(component.Spec{
		Name:    "ForEach",
		Summary: "Runs what follows once for each item of a list.",
		Doc: "The list is the input: an array, the values of an object, a text that holds a JSON array, or the parts of a " +
			"text between commas. Any other value is a list of itself. Each item goes to Loop; when the branches of the last " +
			"item have ended, Result gets what they left, in the order of the items.",
		Category: component.Flow,
		Inputs:   []component.Port{{Name: "Input", Doc: "The list."}},
		Outputs: []component.Port{
			{Name: keyLoop, Optional: true, Doc: "The item, once for each."},
			{Name: keyResult, Type: "Array", Optional: true, Doc: "The results of all items, at the end."},
		},
		Traits: component.Traits{Cheap: true, Loop: true},
	}, runForEach, finishForEach)
}

func runForEach(_ context.Context, call *component.Call, s *forEachSettings, in component.Input) (value.Value, error) {
	loop := call.Loop
	if !loop.Started {
		loop.Started, loop.Items = true, itemsOf(in.Lookup("Input"))
	}
	for loop.Index < len(loop.Items) && loop.Items[loop.Index].IsAbsent() {
		loop.Index++
	}
	call.LogDebug("=== ForEach Log ===")
	if loop.Index < len(loop.Items) {
		loop.Index++
		return iteration(call, loop), nil
	}
	return total(call, loop, s.Format.Text()), nil
}

// iteration is the answer for the item before the index.
func iteration(call *component.Call, loop *component.Loop) value.Value {
	item := loop.Items[loop.Index-1]
	if call.Logs() {
		call.LogDebug(" Iteration " + strconv.Itoa(loop.Index) + "/" + strconv.Itoa(len(loop.Items)))
		call.LogDebug(" In Progress: true")
		call.LogDebug(" Input: \n" + item.Indent("  "))
		if loop.Index > 1 && len(loop.Results) > 0 {
			call.LogDebug()
			call.LogDebug(" Previous Input: \n" + loop.Items[loop.Index-2].Indent("  "))
			call.LogDebug()
			call.LogDebug(" Previous Result: \n" + inner(loop.Results[len(loop.Results)-1]).Indent("  "))
		}
	}
	out := value.NewBuilder(4).Set(keyLoop, item)
	if call.Debug && len(loop.Results) > 0 {
		out.Set(keyTemp, value.OfItems(slices.Clone(loop.Results)))
	}
	out.Set(component.KeyError, value.NullValue()).Set(component.KeyInProgress, value.OfBool(true))
	return out.Build()
}

// total is the answer when no item is left.
func total(call *component.Call, loop *component.Loop, format string) value.Value {
	result := collect(loop.Results, format)
	if call.Logs() {
		call.LogDebug(" Total Iterations: " + strconv.Itoa(len(loop.Items)))
		call.LogDebug(" In Progress: false")
		call.LogDebug()
		call.LogDebug(" Input: \n" + value.OfItems(loop.Items).Indent("  "))
		call.LogDebug()
		call.LogDebug(" Result: \n" + result.Indent("  "))
	}
	out := value.NewBuilder(4).Set(keyResult, result)
	if call.Debug {
		out.Set(keyTemp, collect(loop.Results, kept(format)))
	}
	out.Set(component.KeyError, value.NullValue()).Set(component.KeyInProgress, value.OfBool(false))
	return out.Build()
}

// finishForEach leaves away what only drives the loop.
func finishForEach(_ *forEachSettings, e component.Entry, _ component.FinishInfo) value.Value {
	e.Result = e.Result.Without(keyTemp, component.KeyInProgress, keyLoop)
	return e.Value()
}

// itemsOf makes a list of the input of a loop.
func itemsOf(v value.Value) []value.Value {
	if s, ok := v.Str(); ok {
		if strings.HasPrefix(s, "[") {
			v = jsonfix.TryParse(s)
		} else {
			return value.Strings(strings.Split(s, ",")).Items()
		}
	}
	switch v.Kind() {
	case value.Array:
		return v.Items()
	case value.Object:
		members := v.Members()
		items := make([]value.Value, len(members))
		for i := range members {
			items[i] = members[i].Value
		}
		return items
	}
	return []value.Value{v}
}
