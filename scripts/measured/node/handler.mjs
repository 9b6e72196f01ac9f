// Receive as it is usually written for Node, with Stripe's SDK and AWS's: what usual_receive.py does, and Powertools'
// idempotency written out as the calls that it makes.
import { createHash } from "node:crypto";
import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import Stripe from "stripe";

const dynamodb = new DynamoDBClient({});
const secrets = new SecretsManagerClient({});
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
const stripe = new Stripe("unused");
const TableName = process.env.EVENTS_TABLE;
let secret;

export async function handler(request) {
  secret ??= JSON.parse(
    (await secrets.send(new GetSecretValueCommand({ SecretId: process.env.SECRET_NAME }))).SecretString,
  );
  const event = stripe.webhooks.constructEvent(
    request.body,
    request.headers["stripe-signature"],
    secret.stripe_webhook_secrets[0],
  );
  const now = Math.floor(Date.now() / 1000);
  const Key = { id: { S: createHash("md5").update(event.id).digest("hex") } };
  await dynamodb.send(
    new PutItemCommand({
      TableName,
      Item: {
        ...Key,
        expiration: { N: `${now + 3600}` },
        status: { S: "INPROGRESS" },
        in_progress_expiration: { N: `${now * 1000 + 60_000}` },
      },
      ConditionExpression:
        "attribute_not_exists(id) OR expiration < :now OR (#status = :inprogress AND in_progress_expiration < :millis)",
      ExpressionAttributeNames: { "#status": "status" },
      ExpressionAttributeValues: {
        ":now": { N: `${now}` },
        ":millis": { N: `${now * 1000}` },
        ":inprogress": { S: "INPROGRESS" },
      },
    }),
  );
  const notice = { id: event.id, type: event.type, about: event.data.object.id };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify(notice) }));
  await dynamodb.send(
    new UpdateItemCommand({
      TableName,
      Key,
      UpdateExpression: "SET #data = :data, expiration = :expiry, #status = :status",
      ExpressionAttributeNames: { "#data": "data", "#status": "status" },
      ExpressionAttributeValues: {
        ":data": { S: "null" },
        ":expiry": { N: `${now + 3600}` },
        ":status": { S: "COMPLETED" },
      },
    }),
  );
  return { statusCode: 200, body: JSON.stringify({ received: true }) };
}
