package testmodel

import (
	"strconv"

	"github.com/sre-go/sre/value"
)

// outputItem is one item of the output of a response: the message, or a tool call.
type outputItem struct {
	id   string
	call *tool // nil for the message
}

func (u utterance) items() []outputItem {
	var items []outputItem
	if u.hasText {
		items = append(items, outputItem{id: "msg_fake"})
	}
	for i := range u.tools {
		items = append(items, outputItem{id: "fc_fake_" + strconv.Itoa(i+1), call: &u.tools[i]})
	}
	return items
}

// value returns the item, whole or as it is before its content has arrived.
func (i outputItem) value(text string, whole bool) value.Value {
	status := "in_progress"
	if whole {
		status = "completed"
	}
	if i.call == nil {
		content := value.List()
		if whole {
			content = value.List(value.Obj(value.M("type", value.Of("output_text")), value.M("text", value.Of(text)),
				value.M("annotations", value.List())))
		}
		return value.Obj(value.M("id", value.Of(i.id)), value.M("type", value.Of("message")), value.M("role", value.Of("assistant")),
			value.M("status", value.Of(status)), value.M("content", content))
	}
	arguments := ""
	if whole {
		arguments = i.call.arguments
	}
	return value.Obj(value.M("id", value.Of(i.id)), value.M("type", value.Of("function_call")), value.M("status", value.Of(status)),
		value.M("call_id", value.Of(i.call.id)), value.M("name", value.Of(i.call.name)), value.M("arguments", value.Of(arguments)))
}

// response returns the response itself, complete or as it is at its start.
func (u utterance) response(complete bool) value.Value {
	b := value.NewBuilder(8).
		Set("id", value.Of("resp_fake")).Set("object", value.Of("response")).
		Set("created_at", value.OfInt(created)).Set("model", value.Of(u.model))
	if !complete {
		return b.Set("status", value.Of("in_progress")).Set("output", value.List()).Build()
	}
	var output []value.Value
	for _, item := range u.items() {
		output = append(output, item.value(u.text, true))
	}
	return b.Set("status", value.Of("completed")).Set("output", value.OfItems(output)).
		Set("output_text", value.Of(u.text)).
		Set("usage", usageOf("input_tokens", "output_tokens", "total_tokens")).Build()
}

func responsesWhole(u utterance) value.Value { return u.response(true) }

func responsesStream(e *events, u utterance) {
	number := 0
	event := func(name string, members ...value.Member) (string, string) {
		head := []value.Member{value.M("type", value.Of(name)), value.M("sequence_number", value.OfInt(number))}
		number++
		return name, value.Obj(append(head, members...)...).JSON()
	}
	e.send(event("response.created", value.M("response", u.response(false))))
	for i, item := range u.items() {
		index := value.M("output_index", value.OfInt(i))
		place := []value.Member{value.M("item_id", value.Of(item.id)), index}
		with := func(members ...value.Member) []value.Member { return append(place[:2:2], members...) }
		e.send(event("response.output_item.added", index, value.M("item", item.value("", false))))
		if item.call == nil {
			content := value.M("content_index", value.OfInt(0))
			for _, piece := range u.pieces(u.text) {
				e.piece(event("response.output_text.delta", with(content, value.M("delta", value.Of(piece)))...))
			}
			e.send(event("response.output_text.done", with(content, value.M("text", value.Of(u.text)))...))
		} else {
			for _, half := range halves(item.call.arguments) {
				e.piece(event("response.function_call_arguments.delta", with(value.M("delta", value.Of(half)))...))
			}
			e.send(event("response.function_call_arguments.done", with(value.M("name", value.Of(item.call.name)),
				value.M("arguments", value.Of(item.call.arguments)))...))
		}
		e.send(event("response.output_item.done", index, value.M("item", item.value(u.text, true))))
	}
	if e.end() {
		return
	}
	e.send(event("response.completed", value.M("response", u.response(true))))
}
