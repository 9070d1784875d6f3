// Swagger UI over the merged document of this origin.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
  // Its choice of a server has no name that a screen reader could say.
  onComplete: () => document.querySelector("#servers")?.setAttribute("aria-label", "Servers"),
});
