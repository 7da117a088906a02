package llm

import (
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

// Request is what a caller asks of a model. Settings that are nil or zero take the default of the model, and then that
// of the provider. A Request is not changed and may be used again.
type Request struct {
	// Model is the id of a model of the catalogue, or "provider/model" for one that it does not list.
	Model string
	// Inline describes the model instead. It is trusted no further than the caller.
	Inline *models.Model

	Messages   []Message
	Tools      []ToolSpec
	ToolChoice ToolChoice

	MaxTokens        int // of the answer; more than the model can give is cut to that
	Temperature      *float64
	TopP             *float64
	TopK             *int
	FrequencyPenalty *float64
	PresencePenalty  *float64
	Stop             []string // texts that end the answer
	Seed             *int

	Format    Format
	Reasoning Reasoning
	Verbosity string // "low", "medium", "high", "" for the usual
	Search    *Search
	Cache     bool // the beginning of the conversation will be sent again: providers may keep it
	// Extra holds settings that only one provider knows, by its own names.
	Extra value.Value
	Raw   bool // the caller wants [Raw] parts, too
}

// ToolSpec is a tool that a model may ask for.
type ToolSpec struct {
	Name        string
	Description string
	Parameters  value.Value // JSON Schema of the arguments, an object
}

// ToolChoice says whether tools are to be used: [Auto], [Required], [NoTools], or the name of the one to use.
type ToolChoice string

// The choices that name no tool.
const (
	Auto     ToolChoice = ""
	Required ToolChoice = "required"
	NoTools  ToolChoice = "none"
)

// Format is the form of an answer.
type Format struct {
	JSON   bool        // one JSON object
	Name   string      // of the schema
	Schema value.Value // JSON Schema that the answer is to fit, absent for any
}

// Reasoning says how much a model thinks before it answers.
type Reasoning struct {
	On        bool
	Effort    string // "minimal", "low", "medium", "high", …; "" for the usual
	MaxTokens int    // of thinking; 0 for the usual
}

// Search lets a model look things up in the web.
type Search struct {
	Size                            string // "low", "medium", "high"
	City, Country, Region, Timezone string
	Extra                           value.Value // what only one provider knows
}

// Call is a request on its way to a provider: everything is resolved. It must not be changed.
type Call struct {
	Request
	Target     models.Model // what Model or Inline stand for
	Credential Credential
	// Partial is set when the caller shows parts as they come. Otherwise a connector may ask for the answer at once.
	Partial bool
}

// EmbedRequest asks for vectors.
type EmbedRequest struct {
	Model      string
	Texts      []string
	Dimensions int // 0 for those of the model
	// Query says that the texts are looked for rather than kept. Some providers want to know.
	Query bool
}

// EmbedCall is a request for vectors on its way to a provider.
type EmbedCall struct {
	EmbedRequest
	Target     models.Model
	Credential Credential
}

// Embeddings are the vectors of texts, in their order.
type Embeddings struct {
	Vectors [][]float32
	Usage   Usage
}

// ImageRequest asks for images, or, with files, for changes to them.
type ImageRequest struct {
	Model   string
	Inline  *models.Model // describes the model instead, see [Request.Inline]
	Prompt  string
	Files   []File
	Mask    *File
	Count   int    // 0 for one
	Size    string // as the provider spells it; "" for the usual
	Quality string
	Style   string
	Extra   value.Value
}

// ImageCall is a request for images on its way to a provider.
type ImageCall struct {
	ImageRequest
	Target     models.Model
	Credential Credential
}
