// Package limits holds every limit of the runtime with its name and its default.
//
// Each loop, buffer and wait of the runtime is bounded by one of these, and an
// error that ends work because of one cites its name: LIMIT_EXCEEDED(steps).
// They stand together so that an operator can see and change all of them, and so
// that no package invents its own. A tenant may lower a limit, only an operator
// may raise one.
package limits

import "time"

// Limits are the bounds of one runtime. Sizes are in bytes, depths and counts in units of their own.
// A Limits is plain data: copy it freely, and share it once it is no longer changed.
type Limits struct {
	// The HTTP server.
	HeaderBytes int           // all headers of one request
	HeaderTime  time.Duration // until the headers of a request have arrived
	BodyTime    time.Duration // until the body of a request has arrived, after its headers
	IdleTime    time.Duration // between two requests on one connection
	DrainTime   time.Duration // for runs to end by themselves when the server stops
	UploadBytes int           // one request with files, all of its parts
	UploadFiles int           // files in one request
	FormFields  int           // texts in one form or query

	// Untrusted JSON, wherever it comes from.
	JSONBytes  int // one text
	JSONDepth  int // nesting of arrays and objects
	JSONValues int // values in one text, members and items included

	// Agent files.
	SmythBytes      int // one file
	SmythComponents int // components in one file

	// Outgoing requests.
	ConnectTime   time.Duration // until a connection stands
	RequestTime   time.Duration // one request until the end of its answer
	Redirects     int           // followed for one request
	ResponseBytes int           // one answer after decompression
	ResponseRatio int           // decompressed size to received size

	// Archives.
	ArchiveEntries int // files in one archive
	ArchiveBytes   int // all files of one archive, unpacked
	ArchiveDepth   int // archives within archives

	// Model calls.
	ModelFirstByteTime time.Duration // until the first byte of an answer
	ModelIdleTime      time.Duration // between two pieces of an answer
	ModelTime          time.Duration // one call in all

	// Server-sent events.
	EventBufferBytes int           // waiting for one client
	EventWriteTime   time.Duration // one write to a client

	// Runs.
	Depth    int // agents that call agents
	Steps    int // component calls in one run
	Circular int // calls of one component along one path
	Items    int // items of one loop

	// Conversations.
	ToolCalls          int // tool calls in one turn
	IdenticalToolCalls int // equal tool calls in one turn that changed nothing
	ToolResultBytes    int // of one tool result that the model is shown

	// The sandbox.
	SandboxTime        time.Duration // wall clock
	SandboxCPUTime     time.Duration // processor
	SandboxMemoryBytes int
	SandboxOutputBytes int

	// Text.
	TemplateDepth int // agent variables that name agent variables
	TemplateBytes int // result of one template
	LogLineBytes  int // one record of a log
}

const (
	kib = 1 << 10
	mib = 1 << 20
)

// Default returns the limits of a runtime that was told nothing else.
func Default() Limits {
	return Limits{
		HeaderBytes: 64 * kib,
		HeaderTime:  5 * time.Second,
		BodyTime:    60 * time.Second,
		IdleTime:    2 * time.Minute,
		DrainTime:   30 * time.Second,
		UploadBytes: 25 * mib,
		UploadFiles: 20,
		FormFields:  1_000,

		JSONBytes:  10 * mib,
		JSONDepth:  100,
		JSONValues: 1_000_000,

		SmythBytes:      20 * mib,
		SmythComponents: 5_000,

		ConnectTime:   10 * time.Second,
		RequestTime:   60 * time.Second,
		Redirects:     5,
		ResponseBytes: 25 * mib,
		ResponseRatio: 100,

		ArchiveEntries: 10_000,
		ArchiveBytes:   100 * mib,
		ArchiveDepth:   1,

		ModelFirstByteTime: 120 * time.Second,
		ModelIdleTime:      60 * time.Second,
		ModelTime:          15 * time.Minute,

		EventBufferBytes: mib,
		EventWriteTime:   10 * time.Second,

		Depth:    8,
		Steps:    10_000,
		Circular: 100,
		Items:    10_000,

		ToolCalls:          50,
		IdenticalToolCalls: 3,
		ToolResultBytes:    32 * kib,

		SandboxTime:        30 * time.Second,
		SandboxCPUTime:     5 * time.Second,
		SandboxMemoryBytes: 64 * mib,
		SandboxOutputBytes: mib,

		TemplateDepth: 5,
		TemplateBytes: 10 * mib,
		LogLineBytes:  16 * kib,
	}
}
