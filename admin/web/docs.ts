/** /api/docs: draws the API's own description. What is tried out there goes with the session of this browser. */
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

SwaggerUI({
  url: "/api/v1/openapi.json",
  dom_id: "#docs",
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  // It asks another server whether a description is valid.
  validatorUrl: null,
  plugins: [
    {
      wrapComponents: {
        // A heading between the page's and the sections', which it leaves out.
        operations:
          (Original, { React }) =>
          (props) =>
            React.createElement(
              React.Fragment,
              null,
              React.createElement("h2", { className: "agt-sr" }, "Operations"),
              React.createElement(Original, props),
            ),
        // It stands outside of every landmark otherwise.
        InfoContainer:
          (Original, { React }) =>
          (props) =>
            React.createElement("div", { role: "banner" }, React.createElement(Original, props)),
        // There is one server: this one. Its box has no name for a screen reader.
        ServersContainer: () => () => null,
        // A button within a button.
        CopyToClipboardBtn: () => () => null,
      },
    },
  ],
});
