// Package sqlitevec keeps vectors in an embedded database.
//
// A namespace, a source and a chunk are a row each; a chunk has its vector. A search reads every vector of a namespace and
// compares it, so it finds the nearest ones and not merely near ones. The vectors of namespaces that were searched lately
// stay in memory, within a budget, for as long as no process has changed what is in them.
// What was acknowledged is on the disk and survives a loss of power. What is damaged is an error that names it, never an
// answer.
package sqlitevec

import (
	"context"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/vectordb"
)

type settings struct {
	File       string             `json:"file" sre:"allowEmpty" doc:"The database; vectors.db in the data folder when it is empty. A relative path starts at the data folder."`
	Embeddings vectordb.Embedding `json:"embeddings" doc:"How texts become vectors."`
	Keep       int                `json:"keepBytes" sre:"default=268435456,min=0" doc:"Bytes of vectors that are kept in memory after a search, so that the next one in the same namespace does not read them again; 0 for none."`
}

// Definition returns the connector "SQLite".
func Definition() connector.Definition {
	return connector.Define(vectordb.Kind, "SQLite", "Keeps vectors in an embedded database.", open).
		WithDoc("The file appears with the first namespace and is readable by its owner only. What was stored survives a loss of power; several processes may use one file.")
}

// store implements [vectordb.Connector].
type store struct {
	db        *sqlite.DB
	embedding vectordb.Embedding
	kept      *kept
}

func open(_ context.Context, env connector.Env, s settings) (vectordb.Connector, error) {
	folder, name, err := sqlite.Locate(env.Dir, s.File, "vectors.db")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.New(sqlite.Options{Folder: folder, Name: name, Schema: schema(), Durable: true})
	if err != nil {
		return nil, err
	}
	return &store{db: db, embedding: s.Embeddings, kept: &kept{budget: s.Keep}}, nil
}

// Embedding implements [vectordb.Connector].
func (s *store) Embedding() vectordb.Embedding { return s.embedding }

// Check reports whether the database can be read.
func (s *store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// Close closes the database.
func (s *store) Close(context.Context) error { return s.db.Close() }

var (
	_ vectordb.Connector = (*store)(nil)
	_ connector.Checker  = (*store)(nil)
	_ connector.Closer   = (*store)(nil)
)
