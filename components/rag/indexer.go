package rag

import (
	"cmp"
	"context"
	"net/url"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/value"
)

type indexerSettings struct {
	Namespace string `json:"namespace" label:"Namespace" sre:"max=50,allowEmpty" doc:"Namespace of the team that keeps the text, with the team and a _ before it or without; made when it is not there."`
	ID        string `json:"id" label:"Id" sre:"max=1000,allowEmpty,template" doc:"Id of the text; a template over the inputs. What had the id before is replaced."`
	Name      string `json:"name" label:"Label" sre:"max=50,allowEmpty,template" doc:"What people call the text; a template over the inputs."`
	Metadata  string `json:"metadata" label:"Metadata" sre:"max=10000,allowEmpty,null,template" doc:"What belongs to the text, JSON or not; a template over the inputs."`
	Size      int    `json:"chunkSize" label:"Chunk Size" sre:"integer,min=0,max=100000,default=0" doc:"Length of a chunk at most, in UTF-16 code units; 0 for what the vector database is configured with."`
	Overlap   int    `json:"chunkOverlap" label:"Chunk Overlap" sre:"integer,min=0,max=100000,default=0" doc:"How much of a chunk the next one begins with, at most; it counts with a chunk size."`
	Version   string `json:"version" sre:"allowEmpty,advanced" doc:"Kept for editors."`
}

func indexer() component.Definition {
	return component.Define(component.Spec{
		Name: "DataSourceIndexer", Summary: "Keeps a text for the agents of the team, to be found by what it means.", Category: component.Memory,
		Doc:     "The text is cut into chunks, and the embedding model that the vector database is configured with makes a vector of each.",
		Inputs:  []component.Port{{Name: "Source", Type: "Text", Doc: "The text."}},
		Outputs: []component.Port{{Name: "Success", Type: "Object", Doc: "{result, id}, when the text is kept."}},
	}, runIndexer)
}

func runIndexer(ctx context.Context, c *component.Call, s *indexerSettings, in component.Input) (value.Value, error) {
	d, err := document(s, in)
	if err != nil {
		return value.Value{}, err
	}
	name := namespace(s.Namespace)
	kept, err := c.VectorDB().OfTeam().Insert(ctx, name, d)
	if err != nil {
		return value.Value{}, err
	}
	if c.Logs() {
		c.LogDebug("== Source Indexer Log ==\nkept", kept.ID, "in", name, "as", value.OfInt(len(kept.Chunks)).Text(), "chunks")
	}
	return success(value.Obj(value.M("result", value.OfBool(true)), value.M("id", value.Of(kept.ID)))), nil
}

// document is what a call wants to be kept.
func document(s *indexerSettings, in component.Input) (vectordb.Document, error) {
	id, err := sourceID(s.ID, in)
	if err != nil {
		return vectordb.Document{}, err
	}
	label, err := fill(s.Name, in)
	if err != nil {
		return vectordb.Document{}, err
	}
	d := vectordb.Document{ID: id, Label: cmp.Or(strings.TrimSpace(label), "Untitled"), Size: s.Size, Overlap: s.Overlap, Create: true}
	source := in.Get("Source")
	text, ok := source.Str()
	if !ok {
		err := fault.Newf(fault.Invalid, "only text can be kept, and Source is of the type %s", source.Kind())
		return vectordb.Document{}, fault.Hint(err, "connect a text to the input Source, such as the JSON of an object")
	}
	if d.Text = text; isURL(text) {
		return vectordb.Document{}, fault.Newf(fault.Invalid, "URLs are not supported yet")
	}
	more, err := fill(s.Metadata, in)
	if err != nil {
		return vectordb.Document{}, err
	}
	if more != "" {
		d.Metadata = value.Of(more)
	}
	return d, nil
}

// isURL reports whether a text is one address of the web and nothing else.
func isURL(text string) bool {
	text = strings.TrimSpace(text)
	if strings.ContainsAny(text, " \t\r\n") {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "ftp") && u.Host != ""
}
