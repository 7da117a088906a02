package conformance

import (
	"github.com/sre-go/sre/value"
)

// compare returns where a run differs from what is wanted: in what it answered, and in what the servers received.
func (r *Runner) compare(got, want value.Value) (data, wire []Diff) {
	got, want = r.normaliser.Value(got), r.normaliser.Value(want)
	for _, m := range want.Members() {
		to := got.Get(m.Key)
		switch m.Key {
		case "llm_requests":
			wire = append(wire, below(m.Key, CompareUnordered(withoutEmbeddingKeys(to), withoutEmbeddingKeys(m.Value)))...)
		case "http_requests":
			wire = append(wire, below(m.Key, CompareUnordered(to, m.Value))...)
		case "unhandled": // noise of the reference
		case "responses":
			data = append(data, below(m.Key, Compare(to, withoutMember(m.Value, "unhandled")))...)
		case "turns":
			data = append(data, below(m.Key, Compare(usageLast(to), usageLast(m.Value)))...)
		default:
			data = append(data, below(m.Key, Compare(to, m.Value))...)
		}
	}
	return data, wire
}

func below(key string, diffs []Diff) []Diff {
	for i := range diffs {
		diffs[i].Pointer = "/" + key + diffs[i].Pointer
	}
	return diffs
}

func withoutMember(list value.Value, key string) value.Value {
	items := make([]value.Value, list.Len())
	for i, item := range list.Items() {
		items[i] = item.Without(key)
	}
	return value.OfItems(items)
}

// withoutEmbeddingKeys drops the keys of requests for embeddings: the reference sends that of its first caller.
func withoutEmbeddingKeys(requests value.Value) value.Value {
	items := make([]value.Value, requests.Len())
	for i, request := range requests.Items() {
		if request.GetString("path") == "/embeddings" {
			request = request.Without("authorization")
		}
		items[i] = request
	}
	return value.OfItems(items)
}

// usageLast moves the usage events of each turn behind the others: their place among these is left open.
func usageLast(turns value.Value) value.Value {
	if !turns.IsArray() {
		return turns
	}
	out := make([]value.Value, turns.Len())
	for i, turn := range turns.Items() {
		var events, usage []value.Value
		for _, event := range turn.Get("events").Items() {
			if name, _ := event.At(0).Str(); name == "usage" {
				usage = append(usage, event)
			} else {
				events = append(events, event)
			}
		}
		if out[i] = turn; turn.Get("events").IsArray() {
			out[i] = turn.With("events", value.OfItems(append(events, usage...)))
		}
	}
	return value.OfItems(out)
}
