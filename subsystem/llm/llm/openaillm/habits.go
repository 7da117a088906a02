package openaillm

import "strings"

// habits are how a provider differs from the others that speak the same interface.
type habits struct {
	name       string // of the connector, which is what models give as their provider
	provider   string // for people
	base       string // address of the interface, "" when it has to be configured
	needsKey   bool
	maxTokens  string // the name of the bound on the answer
	schemas    bool   // takes a JSON Schema for the form of the answer
	searches   bool   // searches the web through the Responses interface
	embeddings bool
	images     bool
	reasoning  string // the field of a delta with what the model thinks, "" for none
}

// openAI is the address of OpenAI itself, where nothing is to be had without a key.
const openAI = "https://api.openai.com/v1"

// habitsOf returns those of all providers. Addresses are from the providers' documentation, November 2026.
func habitsOf() []habits {
	const old, new = "max_tokens", "max_completion_tokens"
	return []habits{
		{name: "OpenAI", provider: "OpenAI", base: openAI, maxTokens: new, schemas: true, searches: true, embeddings: true, images: true, reasoning: "reasoning_content"},
		{name: "OpenAICompatible", provider: "any server that speaks OpenAI's interface", maxTokens: old, schemas: true, embeddings: true, images: true, reasoning: "reasoning_content"},
		{name: "Groq", provider: "Groq", base: "https://api.groq.com/openai/v1", needsKey: true, maxTokens: new, schemas: true, reasoning: "reasoning"},
		{name: "xAI", provider: "xAI", base: "https://api.x.ai/v1", needsKey: true, maxTokens: old, schemas: true, images: true, reasoning: "reasoning_content"},
		{name: "Perplexity", provider: "Perplexity", base: "https://api.perplexity.ai", needsKey: true, maxTokens: old, schemas: true},
		{name: "TogetherAI", provider: "Together AI", base: "https://api.together.xyz/v1", needsKey: true, maxTokens: old, schemas: true, embeddings: true, images: true, reasoning: "reasoning"},
		{name: "DeepSeek", provider: "DeepSeek", base: "https://api.deepseek.com", needsKey: true, maxTokens: old, reasoning: "reasoning_content"},
		{name: "OpenRouter", provider: "OpenRouter", base: "https://openrouter.ai/api/v1", needsKey: true, maxTokens: old, schemas: true, reasoning: "reasoning"},
	}
}

// thinks reports whether a model of OpenAI thinks before it answers: such models refuse the settings of sampling.
func thinks(modelID string) bool {
	id := modelID[strings.LastIndexByte(modelID, '/')+1:]
	for _, prefix := range []string{"o1", "o3", "o4", "gpt-5", "gpt-6"} {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}
