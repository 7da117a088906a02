package rag

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/value"
)

type lookupSettings struct {
	Namespace   string  `json:"namespace" label:"Namespace" sre:"max=80,allowEmpty" doc:"Namespace of the team, with the team and a _ before it or without."`
	TopK        int     `json:"topK" label:"Result Count" sre:"integer,min=0,default=50" doc:"How many chunks are found at most, up to 1000; 0 for 50."`
	Threshold   float64 `json:"scoreThreshold" label:"Score Threshold" sre:"min=0,max=1,default=0.001" doc:"Score that a chunk has at least: 1 for the same meaning, 0 for nothing in common."`
	Metadata    bool    `json:"includeMetadata" label:"Include Metadata" sre:"default=false" doc:"Whether the metadata of its text comes with each chunk."`
	Score       bool    `json:"includeScore" label:"Include Score" sre:"default=false" doc:"Whether its score comes with each chunk."`
	Model       string  `json:"model" sre:"allowEmpty,advanced" doc:"Kept for editors."`
	Prompt      string  `json:"prompt" sre:"allowEmpty,advanced" doc:"Kept for editors."`
	PostProcess bool    `json:"postprocess" label:"Postprocess" sre:"default=false,advanced" doc:"Not supported: connect the results to a component that asks a model."`
	Version     string  `json:"version" sre:"allowEmpty,advanced" doc:"Kept for editors."`
}

// Results of a lookup, when its settings do not say, and at least a score that tells a chunk from one with nothing in common.
const (
	usualTopK  = 50
	leastScore = 0.001
)

func lookup() component.Definition {
	return component.Define(component.Spec{
		Name: "DataSourceLookup", Summary: "Finds texts of the team by what they mean.", Category: component.Memory,
		Inputs:  []component.Port{{Name: "Query", Type: "Text", Doc: "What to look for."}},
		Outputs: []component.Port{{Name: "Results", Type: "Array", Doc: "The chunks of text that are nearest to the query, the nearest first: texts, or {content, metadata, score} with what is included."}},
	}, runLookup)
}

func runLookup(ctx context.Context, c *component.Call, s *lookupSettings, in component.Input) (value.Value, error) {
	if s.PostProcess {
		err := fault.Newf(fault.Unsupported, "the setting postprocess of DataSourceLookup does nothing")
		return value.Value{}, fault.Hint(err, "turn it off and connect Results to a component that asks a model, such as GenAILLM")
	}
	name := namespace(s.Namespace)
	h, err := room(ctx, c, name)
	if err != nil {
		return value.Value{}, err
	}
	o := vectordb.SearchOptions{TopK: usualTopK, Least: max(s.Threshold, leastScore)}
	if s.TopK > 0 {
		o.TopK = min(s.TopK, vectordb.MaxTopK)
	}
	found, err := h.Search(ctx, name, in.Get("Query").Text(), o)
	if err != nil {
		return value.Value{}, err
	}
	results := make([]value.Value, 0, len(found))
	for _, m := range found {
		results = append(results, s.result(m))
	}
	if c.Logs() {
		c.LogDebug("== Data Source Lookup Log ==\nfound", value.OfInt(len(found)).Text(), "chunks in", name)
	}
	return value.Obj(value.M("Results", value.OfItems(results))), nil
}

// result is what the settings want to have of a chunk.
func (s *lookupSettings) result(m vectordb.Match) value.Value {
	if !s.Metadata && !s.Score {
		return value.Of(m.Text)
	}
	out := value.NewBuilder(3)
	out.Set("content", value.Of(m.Text))
	if s.Metadata && !m.Metadata.IsAbsent() {
		out.Set("metadata", parsed(m.Metadata))
	}
	if s.Score {
		out.Set("score", value.OfNumber(m.Score))
	}
	return out.Build()
}

// parsed returns what the text of metadata says as JSON, or the text when it says nothing.
func parsed(metadata value.Value) value.Value {
	if text, ok := metadata.Str(); ok {
		if v, err := value.Parse(text); err == nil {
			return v
		}
	}
	return metadata
}
